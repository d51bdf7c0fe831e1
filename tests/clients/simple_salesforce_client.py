"""simple-salesforce at its ordinary work, over TLS, the only thing it speaks.

It logs in at https://<domain>.salesforce.com whatever it is told, so its HTTP session leads
those addresses to the org. The certificate is checked against the org's own authority.
"""

import csv
import datetime
import io
import time
from email.utils import format_datetime
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceExpiredSession, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from checks import ORG, VERSION, check, equal, refused, run

HOST = urlsplit(ORG["instance_url"]).netloc
COMPANY = "Example Widgets Ltd"
BATCHES = {"Sforce-Query-Options": "batchSize=200"}
PROPOSAL_ID = "AI_Proposal_ID__c"


class ToTheOrg(HTTPAdapter):
    """Sends requests for salesforce.com to the simulated org."""

    def send(self, request, **kwargs):
        parts = urlsplit(request.url)
        if parts.netloc.endswith(".salesforce.com"):
            request.url = urlunsplit(parts._replace(netloc=HOST))
        return super().send(request, **kwargs)


def http():
    session = requests.Session()
    session.trust_env = False
    session.verify = ORG["ca_pem_path"]
    session.mount("https://", ToTheOrg())
    return session


def login(role):
    return Salesforce(
        username=ORG["users"][role]["username"],
        consumer_key=ORG["oauth"]["client_id"],
        privatekey_file=ORG["oauth"]["jwt_key_pem_path"],
        version=VERSION,
        session=http(),
    )


def lead(last, **more):
    return {"LastName": last, "Company": COMPANY, **more}


STATE = {}


def admin():
    return STATE["admin"]


@check("login by JWT")
def _():
    STATE["admin"] = login("admin")
    equal(admin().sf_instance, HOST)


@check("login by client credentials")
def _():
    client = Salesforce(
        consumer_key=ORG["oauth"]["client_id"],
        consumer_secret=ORG["oauth"]["client_secret"],
        domain="example.my",
        version=VERSION,
        session=http(),
    )
    equal(client.query("SELECT Id FROM Organization")["totalSize"], 1)


@check("a login that must fail")
def _():
    error = refused(
        SalesforceAuthenticationFailed,
        Salesforce,
        consumer_key=ORG["oauth"]["client_id"],
        consumer_secret="wrong",
        domain="example.my",
        session=http(),
    )
    assert error.code in ("invalid_client", "invalid_client_id"), error.code


@check("describe global and one object")
def _():
    names = {one["name"] for one in admin().describe()["sobjects"]}
    assert {"Lead", "Opportunity", "Account", "User"} <= names, names
    described = admin().Opportunity.describe()
    fields = {field["name"]: field for field in described["fields"]}
    equal(fields["StageName"]["type"], "picklist")
    equal(fields["IsWon"]["updateable"], False)
    equal(admin().Lead.metadata()["objectDescribe"]["keyPrefix"], "00Q")


@check("create, get, update and delete one")
def _():
    saved = admin().Lead.create(lead("Single", AnnualRevenue=15000))
    equal(saved["success"], True)
    equal(admin().Lead.update(saved["id"], {"City": "Ghent", "AnnualRevenue": None}), 204)
    row = admin().Lead.get(saved["id"])
    equal((row["City"], row["AnnualRevenue"], row["Address"]["city"]), ("Ghent", None, "Ghent"))
    equal(admin().Lead.delete(saved["id"]), 204)
    error = refused(SalesforceResourceNotFound, admin().Lead.get, saved["id"])
    equal(error.content[0]["errorCode"], "ENTITY_IS_DELETED")


@check("create many")
def _():
    ids = []
    for start in range(0, 450, 150):
        records = [
            {"attributes": {"type": "Lead"}, **lead(f"Many {number:04}")}
            for number in range(start, start + 150)
        ]
        saved = admin().restful(
            "composite/sobjects", method="POST", json={"allOrNone": True, "records": records}
        )
        assert all(row["success"] for row in saved)
        ids += [row["id"] for row in saved]
    STATE["ids"] = ids


@check("query, and query page by page")
def _():
    soql = "SELECT LastName, Owner.Name FROM Lead WHERE LastName LIKE 'Many %' ORDER BY LastName"
    first = admin().query(soql, headers=BATCHES)
    equal((first["totalSize"], first["done"], len(first["records"])), (450, False, 200))
    second = admin().query_more(first["nextRecordsUrl"], identifier_is_url=True)
    equal(second["records"][0]["LastName"], "Many 0200")
    assert second["records"][0]["Owner"]["Name"]


@check("a bulk query, page by page")
def _():
    soql = "SELECT Id, LastName, City, IsConverted FROM Lead WHERE LastName LIKE 'Many %' ORDER BY LastName"
    pages = list(admin().bulk2.Lead.query(soql, max_records=200, wait=0.1))
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page["records"] if isinstance(page, dict) else page))]
    equal((len(pages), len(rows)), (3, 450))
    equal((rows[449]["LastName"], rows[0]["City"], rows[0]["IsConverted"]), ("Many 0449", "", "false"))
    error = refused(SalesforceMalformedRequest, list, admin().bulk2.Lead.query("SELECT Nonsense FROM Lead"))
    equal(error.content[0]["errorCode"], "INVALID_FIELD")


@check("query all pages")
def _():
    soql = "SELECT LastName FROM Lead WHERE LastName LIKE 'Many %'"
    everything = admin().query_all(soql, headers=BATCHES)
    equal(len({row["LastName"] for row in everything["records"]}), 450)
    equal(sum(1 for _ in admin().query_all_iter(soql, headers=BATCHES)), 450)


@check("quoted text stays text")
def _():
    name = "O'Hara \\' OR Name LIKE '% \"100%\""
    admin().Lead.create(lead(name))
    found = admin().query(format_soql("SELECT LastName FROM Lead WHERE LastName = {}", name))
    equal([row["LastName"] for row in found["records"]], [name])
    found = admin().query(
        format_soql("SELECT LastName FROM Lead WHERE LastName LIKE '{:like}%'", "Many 00%")
    )
    equal(found["totalSize"], 0)


@check("queries that must fail")
def _():
    codes = [
        refused(SalesforceMalformedRequest, admin().query, soql).content[0]["errorCode"]
        for soql in ("SELECT Id FORM Lead", "SELECT Nothing__c FROM Lead", "SELECT Id FROM Nothing__c")
    ]
    equal(codes, ["MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE"])


@check("count and deleted rows")
def _():
    equal(admin().query("SELECT COUNT() FROM Lead WHERE LastName LIKE 'Many %'")["totalSize"], 450)
    admin().Lead.delete(STATE["ids"].pop())
    soql = "SELECT Id FROM Lead WHERE LastName LIKE 'Many %' AND IsDeleted = true"
    equal(admin().query(soql)["totalSize"], 0)
    equal(admin().query_all(soql, include_deleted=True)["totalSize"], 1)


@check("upsert by external id")
def _():
    row = lead("Upsert", AI_Gate_Pending__c=True)
    equal(admin().Lead.upsert(f"{PROPOSAL_ID}/conformance-1", row), 201)
    equal(admin().Lead.upsert(f"{PROPOSAL_ID}/conformance-1", {**row, "City": "Ghent"}), 200)
    equal(admin().Lead.get_by_custom_id(PROPOSAL_ID, "conformance-1")["City"], "Ghent")


@check("update many, one of them wrong")
def _():
    records = [
        {"attributes": {"type": "Lead"}, "id": one, "Company": "" if place == 3 else "Sample Solar"}
        for place, one in enumerate(STATE["ids"][:50])
    ]
    saved = admin().restful(
        "composite/sobjects", method="PATCH", json={"allOrNone": False, "records": records}
    )
    equal([place for place, row in enumerate(saved) if not row["success"]], [3])
    equal(saved[3]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING")


@check("composite with a condition")
def _():
    saved = admin().Lead.create(lead("Composite"))
    url = f"/services/data/v{VERSION}/sobjects/Lead/{saved['id']}"
    long_ago = "Mon, 01 Jan 2001 00:00:00 GMT"
    parts = admin().restful(
        "composite",
        method="POST",
        json={
            "allOrNone": False,
            "compositeRequest": [
                {"method": "GET", "url": f"{url}?fields=City", "referenceId": "read"},
                {
                    "method": "PATCH",
                    "url": url,
                    "referenceId": "stale",
                    "httpHeaders": {"If-Unmodified-Since": long_ago},
                    "body": {"City": "Bruges"},
                },
                {"method": "PATCH", "url": url, "referenceId": "fresh", "body": {"City": "Ghent"}},
            ],
        },
    )["compositeResponse"]
    equal([part["httpStatusCode"] for part in parts], [200, 412, 204])
    equal(admin().Lead.get(saved["id"])["City"], "Ghent")


@check("conditional update")
def _():
    saved = admin().Lead.create(lead("Conditional"))
    stamp = admin().Lead.get(saved["id"])["LastModifiedDate"]
    moment = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z")
    since = {"If-Unmodified-Since": format_datetime(moment.astimezone(datetime.timezone.utc), usegmt=True)}
    time.sleep(1.1)
    equal(admin().Lead.update(saved["id"], {"City": "Ghent"}, headers=since), 204)
    error = refused(
        SalesforceGeneralError, admin().Lead.update, saved["id"], {"City": "Bruges"}, headers=since
    )
    equal(error.status, 412)
    equal(admin().Lead.get(saved["id"])["City"], "Ghent")


@check("a rule that refuses")
def _():
    proposer = login("proposer")
    error = refused(
        SalesforceMalformedRequest, proposer.Lead.update, STATE["ids"][0], {"Status": "Working - Contacted"}
    )
    code = error.content[0]["errorCode"]
    assert code in ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_FIELD_FOR_INSERT_UPDATE"), code


@check("limits")
def _():
    before = admin().limits()["DailyApiRequests"]
    admin().query("SELECT Id FROM Organization")
    usage = admin().api_usage["api-usage"]
    equal((usage.used, usage.total), (before["Max"] - before["Remaining"] + 1, before["Max"]))


@check("401 and login again")
def _():
    client = login("reviewer")
    session = client.session
    with_token = Salesforce(
        instance_url=ORG["instance_url"], session_id=client.session_id, version=VERSION, session=http()
    )
    with_token.query("SELECT Id FROM Lead LIMIT 1")
    reply = session.request("DELETE", f"{ORG['instance_url']}/__sessions", json={"user": "reviewer"})
    equal(reply.status_code, 204)
    refused(SalesforceExpiredSession, with_token.query, "SELECT Id FROM Lead LIMIT 1")
    old = client.session_id
    equal(client.query("SELECT Id FROM Lead LIMIT 1")["totalSize"], 1)
    assert client.session_id != old, "the client logged in again by itself"


run()
