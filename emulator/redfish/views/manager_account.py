"""ManagerAccount: who may log in. The accounts are the manifest's; a mockup's own are not served."""

from __future__ import annotations

from emulator.core.access import Account
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource, collection, link

ACCOUNTS = f"{ROOT}/AccountService/Accounts"
ROLES = f"{ROOT}/AccountService/Roles"


def resources(site: Site) -> list[Resource]:
    """The collection and its members, where the mockup has an account service."""
    if site.tree.get(f"{ROOT}/AccountService") is None:
        return []
    return [
        Resource(ACCOUNTS, get=accounts, needs_ready=False),
        Resource(f"{ACCOUNTS}/{{id}}", get=manager_account, needs_ready=False),
    ]


def accounts(call: Call) -> Document:
    """The collection."""
    numbers = range(1, len(call.authenticator.accounts) + 1)
    return collection(call, "ManagerAccountCollection", "Accounts", [f"{ACCOUNTS}/{number}" for number in numbers])


def manager_account(call: Call) -> Document | None:
    """One account; its password is never shown."""
    number = call.number("id")
    account = dict(enumerate(call.authenticator.accounts, 1)).get(number) if number is not None else None
    return _document(call, account) if account else None


def _document(call: Call, account: Account) -> Document:
    document: Document = {
        "@odata.id": call.uri,
        "@odata.type": "#ManagerAccount.v1_14_1.ManagerAccount",
        "Id": call.params["id"],
        "Name": f"Account of {account.name}",
        "UserName": account.name,
        "Password": None,
        "RoleId": account.role,
        "Enabled": True,
        "Locked": False,
        "AccountTypes": ["Redfish"],
    }
    if call.exists(f"{ROLES}/{account.role}"):
        document["Links"] = {"Role": link(f"{ROLES}/{account.role}")}
    return document
