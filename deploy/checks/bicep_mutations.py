"""Tests bicep_check.py: each of these faults, put into infra/ one at a time, must be found; without any, nothing is."""

import pathlib
import sys

from bicep_check import check_folder

INFRA = pathlib.Path(__file__).resolve().parent.parent.parent / "infra"

# file, what stands there, what is put in its place
FAULTS = [
    ("main.bicep", "targetScope = 'subscription'\n", ""),
    ("main.bicep", "param openAiCapacity int = 30", "param openAiCapacity int = '30'"),
    ("main.bicep", "param openAiCapacity int = 30", "param openAiCapacity int = 0"),
    ("main.bicep", "DeploymentType string = 'Standard'", "DeploymentType string = 'Standart'"),
    ("main.bicep", "@secure()\n", ""),
    ("main.bicep", "output OPENAI_CAPACITY int", "output OPENAI_CAPACITY string"),
    ("main.bicep", "output APIM_GATEWAY_URL", "output APIM_GATEWAYURL"),
    ("main.bicep", "gateway.outputs.url\n", "gateway.outputs.uri\n"),
    ("main.bicep", "'modules/redis.bicep'", "'modules/cache.bicep'"),
    ("main.bicep", "    minReplicas: minReplicas\n", ""),
    ("main.bicep", "minReplicas: minReplicas\n", "minimumReplicas: minReplicas\n"),
    ("main.bicep", "    capacity: openAiCapacity\n    provisioned", "    capacity: openAiModel\n    provisioned"),
    ("main.bicep", "  scope: group\n  name: 'registry'", "  name: 'registry'"),
    ("main.bicep", "split(openAiLocations", "splits(openAiLocations"),
    ("main.bicep", "= if (useRedis)", "= if (openAiModel)"),
    ("main.bicep", "param location string\n", "param place string\n"),
    ("main.bicep", "uniqueString(subscription().id", "uniqueString(subscription.id"),
    ("main.bicep", "resourceGroups@2025-04-01' = {\n  name: 'rg-${environmentName}'\n", "resourceGroups@2025-04-01' = {\n"),
    ("modules/openai.bicep", "disableLocalAuth: true", "disableLocalAuth: 'true'"),
    ("modules/openai.bicep", "disableLocalAuth: true", "disableLocalAuthentication: true"),
    ("modules/openai.bicep", "'Enabled' : 'Disabled'", "'Enabled' : 'Off'"),
    ("modules/openai.bicep", "accounts@2025-06-01' = {", "account@2025-06-01' = {"),
    ("modules/openai.bicep", "  parent: account\n", ""),
    ("modules/openai.bicep", "  parent: account\n", "  parent: endpoint\n"),
    ("modules/openai.bicep", "    capacity: capacity\n", "    capacity: string(capacity)\n"),
    ("modules/openai.bicep", "'NoAutoUpgrade'", "'Never'"),
    ("modules/openai.bicep", "account.properties.endpoint\n", "account.properties.endpont\n"),
    ("modules/openai.bicep", "groupIds: ['account']", "groupIds: 'account'"),
    ("modules/openai-role.bicep", "5e0bd9bd-7b93", "5e0bd9bd-7b94"),
    ("modules/openai-role.bicep", "5e0bd9bd-7b93-4f28", "5e0bd9bd-7b934f28"),
    ("modules/openai-role.bicep", "    principalId: principalId\n", ""),
    ("modules/openai-role.bicep", "'ServicePrincipal'", "'ServicePrinciple'"),
    ("modules/gateway.bicep", "secretRef: 'client-key'", "secretRef: 'clients-key'"),
    ("modules/gateway.bicep", "secretRef: 'gateway-yaml'", "secretRef: 'gateway-yml'"),
    ("modules/gateway.bicep", "volumeName: 'config'", "volumeName: 'configuration'"),
    ("modules/gateway.bicep", "type: 'Liveness'", "type: 'Alive'"),
    ("modules/gateway.bicep", "httpGet: { path: '/healthz', port: port }", "httpGet: { path: '/healthz' }"),
    ("modules/gateway.bicep", "httpGet: { path", "httpget: { path"),
    ("modules/gateway.bicep", "concurrentRequests: string(requestsPerReplica)", "concurrentRequests: requestsPerReplica"),
    ("modules/gateway.bicep", "minReplicas: minReplicas\n        max", "minReplica: minReplicas\n        max"),
    ("modules/gateway.bicep", "terminationGracePeriodSeconds: 600", "terminationGracePeriodSeconds: '180s'"),
    ("modules/gateway.bicep", "memory: '1Gi'", "memory: 1"),
    ("modules/gateway.bicep", "external: true", "external: 'yes'"),
    ("modules/gateway.bicep", "type: 'UserAssigned'", "type: 'User'"),
    ("modules/gateway.bicep", "current.outputs.image\n          args", "current.output.image\n          args"),
    ("modules/gateway.bicep", "targetPort: port\n", "targetPort: ports\n"),
    ("modules/gateway.bicep", "capacity * 1000", "registryServer * 1000"),
    ("modules/environment.bicep", "customerId: workspace.properties.customerId", "customerId: workspace.properties.customer"),
    ("modules/environment.bicep", "    workloadProfiles: [", "    workloadProfiles: {"),
    ("modules/network.bicep", "addressPrefixes: ['10.20.0.0/16']", "addressPrefixes: '10.20.0.0/16'"),
    ("modules/network.bicep", "serviceName: ", "service: "),
    ("modules/redis.bicep", "clientProtocol: 'Encrypted'", "clientProtocol: 'TLS'"),
    ("modules/redis.bicep", "port: 10000", "port: '10000'"),
    ("modules/postgres.bicep", "tier: 'Burstable'", "tier: 'Basic'"),
    ("modules/postgres.bicep", "storageSizeGB: 32", "storageSizeGB: '32'"),
    ("modules/postgres.bicep", "    endIpAddress: '0.0.0.0'\n", ""),
    ("modules/postgres.bicep", "properties.fullyQualifiedDomainName", "properties.hostName"),
    ("modules/gateway.bicep", "secretRef: 'store-url'", "secretRef: 'store'"),
    ("modules/monitoring.bicep", "  kind: 'web'\n", ""),
    ("modules/monitoring.bicep", "retentionInDays: 30", "retentionDays: 30"),
    ("modules/registry.bicep", "  sku: { name: 'Basic' }\n", ""),
    ("modules/registry.bicep", "adminUserEnabled: false", "adminUserEnabled: null ? 1 : 'no'"),
    ("modules/identity.bicep", "identity.properties.clientId", "identity.clientId"),
]  # fmt: skip


def main():
    clean = check_folder(INFRA)
    if clean:
        print("\n".join(["the templates themselves have problems:", *clean]), file=sys.stderr)
        return 1
    missed = []
    for name, before, after in FAULTS:
        path = INFRA / name
        source = path.read_text()
        if before not in source:
            missed.append(f"{name}: {before!r} is not there any more")
        elif not check_folder(INFRA, {path: source.replace(before, after, 1).encode()}):
            missed.append(f"{name}: {after!r} instead of {before!r}")
    for one in missed:
        print(f"not found: {one}", file=sys.stderr)
    print(f"    {len(FAULTS) - len(missed)} of {len(FAULTS)} injected faults found")
    return 1 if missed else 0


sys.exit(main())
