"""The tables of the database of deployments, and the steps that lead from each version of them to the next."""

from __future__ import annotations

__all__ = ["STEPS"]

_FIRST = (
    """
CREATE TABLE environment (
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    specification TEXT NOT NULL,
    sources TEXT NOT NULL,
    deployed_at TEXT NOT NULL,
    PRIMARY KEY (target, name)
) WITHOUT ROWID
""",
)

# Every version that was ever deployed is kept, and what is deployed is one of them.
_VERSIONS = (
    """
    CREATE TABLE version (
        target TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL,
        specification TEXT NOT NULL, sources TEXT NOT NULL, module TEXT NOT NULL, files TEXT NOT NULL,
        PRIMARY KEY (target, name, fingerprint)
    )
    """,
    "INSERT INTO version SELECT target, name, fingerprint, specification, sources, '', '{}' FROM environment",
    "ALTER TABLE environment RENAME TO environment_1",
    """
    CREATE TABLE environment (
        target TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, deployed_at TEXT NOT NULL,
        PRIMARY KEY (target, name)
    ) WITHOUT ROWID
    """,
    "INSERT INTO environment SELECT target, name, fingerprint, deployed_at FROM environment_1",
    "DROP TABLE environment_1",
)

# Times are seconds since the epoch. A deployment goes on while the lock of its target has its holder.
_DEPLOYMENTS = (
    """
    CREATE TABLE deployment (
        id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, kind TEXT NOT NULL, origin TEXT NOT NULL,
        holder TEXT NOT NULL, state TEXT NOT NULL, started REAL NOT NULL, ended REAL,
        plan TEXT NOT NULL, policy TEXT NOT NULL
    )
    """,
    "CREATE INDEX deployment_by_state ON deployment (target, state)",
    """
    CREATE TABLE deployment_environment (
        deployment INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL, action TEXT NOT NULL,
        fingerprint TEXT NOT NULL, previous TEXT NOT NULL, state TEXT NOT NULL, started REAL, ended REAL,
        error TEXT NOT NULL, attempt INTEGER NOT NULL,
        PRIMARY KEY (deployment, name)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX success ON deployment_environment (deployment) WHERE state = 'succeeded'",
    """
    CREATE TABLE deployment_log (
        deployment INTEGER NOT NULL, number INTEGER NOT NULL, environment TEXT NOT NULL, time REAL NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (deployment, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE lock (
        target TEXT PRIMARY KEY, holder TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL,
        began TEXT NOT NULL, sign REAL NOT NULL, origin TEXT NOT NULL, since REAL NOT NULL
    ) WITHOUT ROWID
    """,
)

# What the modules of environments are called. A version without that cannot be run, only deployed again.
_MODULES = (
    "ALTER TABLE version ADD COLUMN module_name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE version ADD COLUMN modules TEXT NOT NULL DEFAULT '{}'",
)

STEPS = (_FIRST, (*_VERSIONS, *_DEPLOYMENTS), _MODULES)
