"""What every dialect says of accounts, roles and log-ins: DMTF's AccountSecurity registry, and reasons of our own."""

from __future__ import annotations

from collections.abc import Mapping

ACCESS_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "LastAdministrator": ("Jobfish.LastAdministrator",),
    "PredefinedRoleNotWritable": ("Base.PropertyNotWritable:0", "Jobfish.RoleIsPredefined:1"),
    "PredefinedRoleNotDeletable": ("Base.ResourceCannotBeDeleted", "Jobfish.RoleIsPredefined:0"),
    "RoleInUse": ("Base.ResourceInUse", "Jobfish.RoleInUse:0,1"),
    # what the log says
    "AccountCreated": ("AccountSecurity.AccountCreated",),
    "AccountDeleted": ("AccountSecurity.AccountRemoved",),
    "AccountEnabled": ("AccountSecurity.AccountEnabled",),
    "AccountDisabled": ("AccountSecurity.AccountDisabled",),
    "AccountLocked": ("AccountSecurity.AccountLocked",),
    "AccountUnlocked": ("AccountSecurity.AccountUnlocked",),
    "AccountRoleChanged": ("AccountSecurity.ManagerAccountRoleChanged:0,1,2",),
    "PasswordModified": ("AccountSecurity.PasswordModified",),
    "RolePrivilegeAdded": ("AccountSecurity.RolePrivilegeAdded:0,1",),
    "RolePrivilegeRemoved": ("AccountSecurity.RolePrivilegeRemoved:0,1",),
    "LoginsFailed": ("Jobfish.LoginsFailed",),
}
