"""A subscriber made by grpcio-tools from Salesforce's own proto file (the Node client ships it),
with fastavro: a second opinion on the wire format that shares no code with ours."""

import io
import json
import pathlib
import queue
import ssl
import sys
import threading
import urllib.request

import fastavro
import grpc
from google.protobuf import descriptor_pb2

GENERATED = pathlib.Path(sys.argv[2])
sys.path.insert(0, str(GENERATED))
import pubsub_api_pb2 as pb  # noqa: E402
import pubsub_api_pb2_grpc as rpc  # noqa: E402

from checks import ORG, VERSION, check, equal, refused, run  # noqa: E402

LEADS = "/data/LeadChangeEvent"
CHANNEL = "/data/AI_Proposals__chn"
CA = ORG.get("ca_pem_path")
CONTEXT = ssl.create_default_context(cafile=CA) if CA else None
STATE = {"schemas": {}}


def metadata(token=None):
    return (
        ("accesstoken", token or ORG["users"]["admin"]["access_token"]),
        ("instanceurl", ORG["instance_url"]),
        ("tenantid", ORG["org_id"]),
    )


def stub():
    if "stub" not in STATE:
        endpoint = ORG["pubsub_endpoint"]
        if CA:
            roots = open(CA, "rb").read()
            channel = grpc.secure_channel(endpoint, grpc.ssl_channel_credentials(roots))
        else:
            channel = grpc.insecure_channel(endpoint)
        STATE["stub"] = rpc.PubSubStub(channel)
    return STATE["stub"]


def rest(method, path, body=None, client=None):
    """One REST call as the admin."""
    request = urllib.request.Request(
        f"{ORG['instance_url']}/services/data/v{VERSION}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {ORG['users']['admin']['access_token']}",
            "Content-Type": "application/json",
            **({"Sforce-Call-Options": f"client={client}"} if client else {}),
        },
    )
    with urllib.request.urlopen(request, context=CONTEXT, timeout=20) as reply:
        text = reply.read()
        return json.loads(text) if text else None


def create(last, **more):
    return rest("POST", "/sobjects/Lead", {"LastName": last, "Company": "Example Widgets Ltd", **more})["id"]


class Stream:
    """One Subscribe call: requests go in by `ask`, events and keepalives come out by `next`."""

    def __init__(self, topic, preset=pb.ReplayPreset.LATEST, replay_id=b"", ask=100, token=None):
        self.requests = queue.Queue()
        self.ask(ask, topic_name=topic, replay_preset=preset, replay_id=replay_id)
        self.call = stub().Subscribe(iter(self.requests.get, None), metadata=metadata(token))
        self.replies = queue.Queue()
        self.topic = topic
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for reply in self.call:
                self.replies.put(reply)
        except grpc.RpcError as error:
            self.replies.put(error)

    def ask(self, number, **more):
        self.requests.put(pb.FetchRequest(num_requested=number, **{"topic_name": "", **more}))

    def reply(self, timeout=20):
        found = self.replies.get(timeout=timeout)
        if isinstance(found, Exception):
            raise found
        return found

    def events(self, number):
        """The next `number` events, across replies."""
        found = []
        while len(found) < number:
            found += self.reply().events
        equal(len(found), number)
        return found

    def silent(self, seconds=1.0):
        try:
            reply = self.reply(timeout=seconds)
        except queue.Empty:
            return True
        return not reply.events

    def close(self):
        self.requests.put(None)
        self.call.cancel()


def schema(schema_id):
    if schema_id not in STATE["schemas"]:
        info = stub().GetSchema(pb.SchemaRequest(schema_id=schema_id), metadata=metadata())
        equal(info.schema_id, schema_id)
        STATE["schemas"][schema_id] = json.loads(info.schema_json)
    return STATE["schemas"][schema_id]


def decode(consumer_event):
    """The event as a dict, its whole payload consumed, `changedFields` as names."""
    event = consumer_event.event
    raw = schema(event.schema_id)
    payload = io.BytesIO(event.payload)
    value = fastavro.schemaless_reader(payload, fastavro.parse_schema(raw))
    equal(payload.read(), b"")
    header = value["ChangeEventHeader"]
    names = [field["name"] for field in raw["fields"]]
    header["changedFields"] = [
        names[bit]
        for bitmap in header["changedFields"]
        if bitmap.startswith("0x")
        for bit in range(len(names))
        if int(bitmap, 16) >> bit & 1
    ]
    return value


def replay_number(replay_id):
    return int.from_bytes(replay_id[:8], "big")


def error_code(error):
    return dict(error.trailing_metadata() or ()).get("error-code", "")


def interface(name):
    """Messages, enums and methods of a compiled proto file, with numbers and types."""
    files = descriptor_pb2.FileDescriptorSet.FromString((GENERATED / name).read_bytes()).file
    (file,) = files
    equal(file.package, "eventbus.v1")
    parts = [*file.message_type, *file.enum_type, *file.service]
    return {part.name: str(part) for part in parts}


@check("our proto file says what Salesforce's says")
def _():
    ours, official = interface("ours.bin"), interface("official.bin")
    for name in sorted({*ours, *official}):
        equal(ours.get(name), official.get(name))


@check("get topic and schema")
def _():
    topic = stub().GetTopic(pb.TopicRequest(topic_name=LEADS), metadata=metadata())
    equal((topic.topic_name, topic.can_subscribe, topic.can_publish), (LEADS, True, False))
    raw = schema(topic.schema_id)
    equal((raw["name"], raw["fields"][0]["name"]), ("LeadChangeEvent", "ChangeEventHeader"))
    fastavro.parse_schema(raw)


@check("receive and decode a create")
def _():
    stream = Stream(LEADS)
    assert stream.silent(0.5), "nothing happened yet"
    STATE["lead"] = create("Subscribed", Status="Open - Not Contacted", AnnualRevenue=1250)
    (event,) = stream.events(1)
    stream.close()
    value = decode(event)
    header = value["ChangeEventHeader"]
    equal((header["entityName"], header["changeType"]), ("Lead", "CREATE"))
    equal(header["recordIds"], [STATE["lead"]])
    equal(header["commitUser"], ORG["users"]["admin"]["user_id"])
    equal((value["Company"], value["Status"]), ("Example Widgets Ltd", "Open - Not Contacted"))
    equal(float(value["AnnualRevenue"]), 1250.0)
    equal(header["commitTimestamp"] % 1000, 0)
    STATE["first"] = event.replay_id


@check("receive and decode an update")
def _():
    stream = Stream(LEADS)
    assert stream.silent(0.5), "LATEST begins after what happened before"
    fields = {"Status": "Working - Contacted", "AnnualRevenue": None}
    rest("PATCH", f"/sobjects/Lead/{STATE['lead']}", fields, client="conformance")
    (event,) = stream.events(1)
    stream.close()
    value = decode(event)
    header = value["ChangeEventHeader"]
    equal(header["changeType"], "UPDATE")
    equal(value["Status"], "Working - Contacted")
    assert {"Status", "LastModifiedDate"} <= set(header["changedFields"]), header["changedFields"]
    assert "Company" not in header["changedFields"] and value["Company"] is None
    assert header["nulledFields"], "an emptied field stands in nulledFields"
    assert header["changeOrigin"].endswith(";client=conformance"), header["changeOrigin"]


@check("a transaction shares its key")
def _():
    stream = Stream(LEADS)
    assert stream.silent(0.5)
    records = [
        {"attributes": {"type": "Lead"}, "LastName": f"Together {n}", "Company": "Example Widgets Ltd"}
        for n in range(3)
    ]
    rest("POST", "/composite/sobjects", {"allOrNone": True, "records": records})
    headers = [decode(event)["ChangeEventHeader"] for event in stream.events(3)]
    stream.close()
    equal(len({header["transactionKey"] for header in headers}), 1)
    equal([header["sequenceNumber"] for header in headers], [1, 2, 3])


@check("resume after a replay id")
def _():
    stream = Stream(LEADS, pb.ReplayPreset.CUSTOM, STATE["first"])
    events = stream.events(4)
    numbers = [replay_number(event.replay_id) for event in events]
    stream.close()
    equal(numbers, sorted(set(numbers)))
    assert numbers[0] > replay_number(STATE["first"])
    equal([decode(event)["ChangeEventHeader"]["changeType"] for event in events], ["UPDATE"] + ["CREATE"] * 3)
    again = Stream(LEADS, pb.ReplayPreset.CUSTOM, events[1].replay_id)
    equal([event.replay_id for event in again.events(2)], [event.replay_id for event in events[2:]])
    again.close()


@check("resume with the 8-byte form")
def _():
    stream = Stream(LEADS, pb.ReplayPreset.CUSTOM, STATE["first"][:8])
    equal(decode(stream.events(4)[0])["ChangeEventHeader"]["changeType"], "UPDATE")
    stream.close()


@check("everything from the start")
def _():
    stream = Stream(LEADS, pb.ReplayPreset.EARLIEST)
    seen = []
    while STATE["first"] not in seen:
        seen += [event.replay_id for event in stream.reply().events]
    stream.close()


@check("no more events than asked for")
def _():
    stream = Stream(LEADS, pb.ReplayPreset.CUSTOM, STATE["first"], ask=2)
    stream.events(2)
    assert stream.silent(1.0), "credit is used up"
    stream.ask(1)
    stream.events(1)
    assert stream.silent(0.5)
    stream.close()


@check("a custom channel filters and enriches")
def _():
    stream = Stream(CHANNEL)
    assert stream.silent(0.5)
    rest("PATCH", f"/sobjects/Lead/{STATE['lead']}", {"City": "Ghent"})
    proposal = {
        "AI_Proposal_ID__c": "conformance-1",
        "AI_Recommended_Status__c": "Closed - Not Converted",
        "AI_Gate_Pending__c": True,
    }
    rest("PATCH", f"/sobjects/Lead/{STATE['lead']}", proposal)
    (event,) = stream.events(1)
    stream.close()
    value = decode(event)
    equal(value["AI_Proposal_ID__c"], "conformance-1")
    assert value["AI_Gate_Pending__c"] is True


@check("keepalive on an idle stream")
def _():
    stream = Stream(LEADS)
    reply = stream.reply(timeout=30)
    stream.close()
    equal((len(reply.events), reply.pending_num_requested), (0, 100))
    assert replay_number(reply.latest_replay_id) > replay_number(STATE["first"])


@check("a wrong token")
def _():
    error = refused(grpc.RpcError, Stream(LEADS, token="00D000000000000!wrong").reply)
    equal(error.code(), grpc.StatusCode.UNAUTHENTICATED)
    assert error_code(error).endswith("auth.error") or "auth" in error_code(error), error_code(error)


@check("a wrong topic")
def _():
    error = refused(
        grpc.RpcError, stub().GetTopic, pb.TopicRequest(topic_name="/data/NothingChangeEvent"), metadata=metadata()
    )
    assert error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT), error.code()
    assert error_code(error), "an error carries its code in the trailers"


@check("a corrupted replay id")
def _():
    error = refused(grpc.RpcError, Stream(LEADS, pb.ReplayPreset.CUSTOM, b"\xff" * 10).reply)
    equal(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
    assert "replayid" in error_code(error).lower(), error_code(error)


@check("a number that is not one")
def _():
    error = refused(grpc.RpcError, Stream(LEADS, ask=0).reply)
    equal(error.code(), grpc.StatusCode.INVALID_ARGUMENT)


@check("nobody may publish change events")
def _():
    request = pb.PublishRequest(topic_name=LEADS, events=[pb.ProducerEvent(id="1", payload=b"")])
    error = refused(grpc.RpcError, stub().Publish, request, metadata=metadata())
    assert error.code() != grpc.StatusCode.OK


run()
