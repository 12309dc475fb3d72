"""AccountService: the rules for accounts, passwords and failed log-ins. What is set is in force at once."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.accounts import AccountRules
from emulator.mockup.access import ACCOUNT_SERVICE, ACCOUNTS, ROLE_COLLECTION
from emulator.mockup.access import RULES as BOUNDED
from emulator.mockup.site import Site
from emulator.redfish.rules import rules_document, wanted_rules
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, changed, link
from emulator.redfish.views.privilege_registry import privilege_map_uri

RULES: Mapping[str, str] = {
    "ServiceEnabled": "is_enabled",
    **{name: rule for name, (rule, *_) in BOUNDED.items()},
    "AccountLockoutCounterResetEnabled": "counter_reset_enabled",
    "HTTPBasicAuth": "http_basic_auth",
}
"""Property -> the rule that it is (`AccountRules`)."""


def resources(site: Site) -> list[Resource]:
    """The service."""
    patch = {"PATCH": Verb(patch_account_service, "ConfigureUsers", "AccountService.patch")}
    return [Resource(ACCOUNT_SERVICE, get=account_service, verbs=patch, needs_ready=False)]


def account_service(call: Call) -> Document:
    """The service: the mockup's, with the rules in force."""
    delivered = call.base()
    delivered.pop("@odata.etag", None)
    return {
        "@odata.id": ACCOUNT_SERVICE,
        "Id": "AccountService",
        "Name": "Account Service",
        "Status": {"State": "Enabled", "Health": "OK"},
        "SupportedAccountTypes": ["Redfish"],
        "LocalAccountAuth": "Enabled",
        **delivered,
        "@odata.type": "#AccountService.v1_18_1.AccountService",
        **rules_document(RULES, call.machine.accounts.rules),
        "Accounts": link(ACCOUNTS),
        "Roles": link(ROLE_COLLECTION),
        "PrivilegeMap": link(privilege_map_uri(call.site)),
    }


def patch_account_service(call: Call) -> Reply:
    """Set rules, all or nothing.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, PropertyValueConflict.
    """
    call.machine.accounts.set_rules(wanted_rules(RULES, account_service(call), call.body))
    return changed(call, account_service(call))


assert set(RULES.values()) == set(AccountRules.__dataclass_fields__)
