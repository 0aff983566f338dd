"""Microsoft's type definitions of Azure resources, as far as infra/ uses them.

They come from the Azure MCP server (MIT), which carries Bicep's own types, and are kept in bicep-types.json, so that
a check needs neither its 158 MB nor the network:

    pip install msmcp-azure==3.0.0
    python deploy/checks/bicep_types.py refresh    # for every resource type named in infra/
"""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
KEPT = HERE / "bicep-types.json"
INFRA = HERE.parent.parent / "infra"


# Not in the server's set; written by hand from the REST reference, as far as used here.
BY_HAND = {
    "Microsoft.Network/privateDnsZones@2024-06-01": {
        "Root": {"location": ["string", "Required"], "name": ["string", "Required"], "tags": ["any", ""],
                 "id": ["string", "ReadOnly"]},
    },
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01": {
        "Root": {"location": ["string", "Required"], "name": ["string", "Required"], "tags": ["any", ""],
                 "id": ["string", "ReadOnly"], "properties": ["Link", "Required"]},
        "Link": {"registrationEnabled": ["bool", ""], "virtualNetwork": ["Network", "Required"]},
        "Network": {"id": ["string", "Required"]},
    },
    "Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01": {
        "Root": {"location": ["string", "Required"], "name": ["string", "Required"], "tags": ["any", ""],
                 "id": ["string", "ReadOnly"], "sku": ["Sku", ""], "properties": ["Server", ""]},
        "Sku": {"name": ["string", "Required"], "tier": ["Burstable | GeneralPurpose | MemoryOptimized", "Required"]},
        "Server": {"version": ["string", ""], "administratorLogin": ["string", ""],
                   "administratorLoginPassword": ["string", ""], "storage": ["Storage", ""], "backup": ["Backup", ""],
                   "network": ["Reach", ""], "fullyQualifiedDomainName": ["string", "ReadOnly"]},
        "Storage": {"storageSizeGB": ["int", ""], "autoGrow": ["Enabled | Disabled", ""]},
        "Backup": {"backupRetentionDays": ["int", ""], "geoRedundantBackup": ["Enabled | Disabled", ""]},
        "Reach": {"publicNetworkAccess": ["Enabled | Disabled", ""]},
    },
    "Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01": {
        "Root": {"name": ["string", "Required"], "id": ["string", "ReadOnly"], "properties": ["Database", ""]},
        "Database": {"charset": ["string", ""], "collation": ["string", ""]},
    },
    "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01": {
        "Root": {"name": ["string", "Required"], "id": ["string", "ReadOnly"], "properties": ["Range", "Required"]},
        "Range": {"startIpAddress": ["string", "Required"], "endIpAddress": ["string", "Required"]},
    },
    "Microsoft.Cache/redisEnterprise@2025-04-01": {
        "Root": {"location": ["string", "Required"], "name": ["string", "Required"], "tags": ["any", ""],
                 "id": ["string", "ReadOnly"], "sku": ["Sku", "Required"], "properties": ["Cluster", ""]},
        "Sku": {"name": ["Balanced_B0 | Balanced_B1 | Balanced_B3 | Balanced_B5 | Balanced_B10", "Required"]},
        "Cluster": {"minimumTlsVersion": ["1.2", ""], "highAvailability": ["Enabled | Disabled", ""],
                    "hostName": ["string", "ReadOnly"]},
    },
    "Microsoft.Cache/redisEnterprise/databases@2025-04-01": {
        "Root": {"name": ["string", "Required"], "id": ["string", "ReadOnly"], "properties": ["Database", ""]},
        "Database": {"clientProtocol": ["Encrypted | Plaintext", ""], "port": ["int", ""],
                     "clusteringPolicy": ["EnterpriseCluster | OSSCluster | NoCluster", ""],
                     "evictionPolicy": ["NoEviction | AllKeysLRU | VolatileLRU | VolatileTTL", ""],
                     "accessKeysAuthentication": ["Enabled | Disabled", ""]},
    },
}  # fmt: skip


def load():
    known = json.loads(KEPT.read_text())
    for name, objects in BY_HAND.items():
        shaped = {key: {"properties": value, "more": None} for key, value in objects.items()}
        known[name] = {"scope": "ResourceGroup", "root": "Root", "objects": shaped}
    return known


def condense(answer):
    """{resource: {"scope", "root", "objects": {name: {"properties": {name: [type, flags]}, "more": type}}}}"""
    entries = answer["results"]["BicepSchemaResult"]
    objects, out = {}, {}

    def shape(entry):
        properties = {p["name"]: [p["type"], p.get("flags", "")] for p in entry.get("properties", [])}
        return {"properties": properties, "more": entry.get("additionalPropertiesType")}

    for entry in entries:
        if entry["$type"] in ("Object", "DiscriminatedObject"):
            objects[entry["name"]] = shape(entry)
    for entry in entries:
        if entry["$type"] == "Resource":
            root = entry["bodyType"]
            objects[root["name"]] = shape(root)
            out[entry["name"]] = {"scope": entry["writableScopes"], "root": root["name"], "objects": objects}
    return out


def refresh():
    wanted = set()
    for path in INFRA.rglob("*.bicep"):
        wanted |= set(re.findall(r"'(Microsoft\.[A-Za-z/]+)@\d{4}-\d\d-\d\d'", path.read_text()))
    kept = {}
    for name in sorted(wanted - {known.split("@")[0] for known in BY_HAND}):
        done = subprocess.run(
            ["azmcp", "bicepschema", "get", "--resource-type", name],
            capture_output=True, text=True, check=True,
            env={**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"},
        )  # fmt: skip
        kept |= condense(json.loads(done.stdout))
    KEPT.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")
    print(f"{len(kept)} resource types in {KEPT.name}")


if __name__ == "__main__" and sys.argv[1:] == ["refresh"]:
    refresh()
