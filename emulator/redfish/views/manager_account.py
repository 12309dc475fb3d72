"""ManagerAccount: who may log in. The accounts are the manifest's; a mockup's own are not served."""

from __future__ import annotations

from collections.abc import Sequence

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


def account_uris(found: Sequence[Account]) -> list[str]:
    """Where these accounts stand."""
    return [f"{ACCOUNTS}/{number}" for number in range(1, len(found) + 1)]


def accounts(call: Call) -> Document:
    """The collection."""
    uris = account_uris(call.authenticator.accounts)
    return collection(call, "ManagerAccountCollection", "Accounts", uris)


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
