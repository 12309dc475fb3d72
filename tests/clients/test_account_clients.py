"""Accounts by DMTF's `redfish` library and the functions behind `rf_accounts.py`, over a TLS socket."""

from __future__ import annotations

import pytest
import redfish
import redfish_utilities as utilities
from redfish.messages import RedfishPasswordChangeRequiredError
from redfish.rest.v1 import InvalidCredentialsError, SessionCreationError

FIRST, SECOND = "Paradise-1", "Paradise-2"


def client(url, user="root", password="calvin", auth="session"):
    made = redfish.redfish_client(base_url=url, username=user, password=password, max_retry=1, timeout=20)
    made.login(auth=auth)
    return made


def eve(root):
    found = [user for user in utilities.get_users(root) if user["UserName"] in ("eve", "adam")]
    return {name: found[0][name] for name in ("UserName", "RoleId", "Enabled", "Locked")} if found else None


def test_the_life_of_an_account(served):
    url = served("lifecycle-server")
    root = client(url)
    utilities.add_user(root, "eve", FIRST, "Operator")
    assert eve(root) == {"UserName": "eve", "RoleId": "Operator", "Enabled": True, "Locked": False}
    client(url, "eve", FIRST, "basic").get("/redfish/v1/Systems")
    utilities.modify_user(root, "eve", new_role="ReadOnly")
    utilities.modify_user(root, "eve", new_enabled=False)
    utilities.modify_user(root, "eve", new_name="adam", new_locked=False)
    assert eve(root) == {"UserName": "adam", "RoleId": "ReadOnly", "Enabled": False, "Locked": False}
    with pytest.raises((SessionCreationError, InvalidCredentialsError)):
        client(url, "adam", FIRST)
    utilities.delete_user(root, "adam")
    assert eve(root) is None
    root.logout()


def test_who_has_to_change_his_password_is_sent_there(served):
    url = served("rack-server")
    root = client(url)
    utilities.add_user(root, "eve", FIRST, "Operator")
    utilities.modify_user(root, "eve", new_pass_chng_req=True)
    made = redfish.redfish_client(base_url=url, username="eve", password=FIRST, max_retry=1, timeout=20)
    with pytest.raises(RedfishPasswordChangeRequiredError) as told:
        made.login(auth="session")
    utilities.modify_user(made, "eve", new_password=SECOND, user_uri=told.value.args[1])
    made.logout()
    assert client(url, "eve", SECOND).get("/redfish/v1/Systems").status == 200
