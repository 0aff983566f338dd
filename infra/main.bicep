// Three Azure OpenAI accounts and the gateway in front of them. docs/deploy-azure.md explains the parameters.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment; names of resources are made from it')
param environmentName string

@minLength(1)
@description('Region of the gateway')
param location string

@description('Regions of the accounts, separated by commas: one account for each')
param openAiLocations string = 'swedencentral,francecentral,eastus2'

@description('Priority of each account, separated by commas; lower is used first')
param openAiPriorities string = '1,2,2'

@minValue(1)
@description('Thousands of tokens per minute of each deployment')
param openAiCapacity int = 30

param openAiModel string = 'gpt-4o-mini'
param openAiModelVersion string = '2024-07-18'

@allowed(['Standard', 'GlobalStandard', 'DataZoneStandard', 'ProvisionedManaged', 'GlobalProvisionedManaged'])
param openAiDeploymentType string = 'Standard'

@description('Accounts to use instead of new ones: resourceGroup/account, separated by commas. Each has a deployment named as the model.')
param existingAccounts string = ''

@secure()
@minLength(16)
@description('The key that clients show')
param clientKey string

@minValue(1)
@maxValue(30)
param minReplicas int = 1

@minValue(1)
@maxValue(30)
param maxReplicas int = 3

@minValue(1)
@description('Requests at the same time that add a replica')
param requestsPerReplica int = 200

@description('Azure Managed Redis, so that replicas share what they know of quotas and limits')
param useRedis bool = false

@description('PostgreSQL, so that replicas share keys made at run time and whose things are whose')
param usePostgres bool = false

@secure()
@minLength(16)
@description('The password of PostgreSQL; letters and digits')
param storePassword string

@description('The accounts are reached in a virtual network only')
param usePrivateEndpoints bool = false

@description('The chat app as a second container app')
param useChat bool = false

@description('Whether the gateway was deployed before; azd says so')
param gatewayExists bool = false

@description('Further tags of all resources')
param extraTags object = {}

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = union(extraTags, { 'azd-env-name': environmentName })
var locations = split(openAiLocations, ',')
var priorities = split(openAiPriorities, ',')
var given = empty(existingAccounts) ? [] : split(existingAccounts, ',')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    name: 'id-spillway-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    token: token
    location: location
    tags: tags
  }
}

module network 'modules/network.bicep' = if (usePrivateEndpoints) {
  scope: group
  name: 'network'
  params: {
    token: token
    location: location
    tags: tags
  }
}

module registry 'modules/registry.bicep' = {
  scope: group
  name: 'registry'
  params: {
    name: 'cr${token}'
    location: location
    tags: tags
    pullerPrincipalId: identity.outputs.principalId
  }
}

module accounts 'modules/openai.bicep' = [
  for (place, i) in locations: if (empty(given)) {
    scope: group
    name: 'openai-${i + 1}'
    params: {
      name: 'aoai-${token}-${i + 1}'
      location: trim(place)
      tags: tags
      model: openAiModel
      modelVersion: openAiModelVersion
      deploymentType: openAiDeploymentType
      capacity: openAiCapacity
      userPrincipalId: identity.outputs.principalId
      endpointLocation: location
      subnetId: usePrivateEndpoints ? network!.outputs.endpointsSubnetId : ''
      zoneId: usePrivateEndpoints ? network!.outputs.zoneId : ''
    }
  }
]

module roles 'modules/openai-role.bicep' = [
  for (account, i) in given: {
    scope: resourceGroup(split(trim(account), '/')[0])
    name: 'openai-role-${token}-${i + 1}'
    params: {
      accountName: split(trim(account), '/')[1]
      principalId: identity.outputs.principalId
    }
  }
]

module redis 'modules/redis.bicep' = if (useRedis) {
  scope: group
  name: 'redis'
  params: {
    name: 'redis-${token}'
    location: location
    tags: tags
  }
}

module postgres 'modules/postgres.bicep' = if (usePostgres) {
  scope: group
  name: 'postgres'
  params: {
    name: 'psql-${token}'
    location: location
    tags: tags
    password: storePassword
    networkId: usePrivateEndpoints ? network!.outputs.id : ''
    subnetId: usePrivateEndpoints ? network!.outputs.endpointsSubnetId : ''
  }
}

module apps 'modules/environment.bicep' = {
  scope: group
  name: 'environment'
  params: {
    name: 'cae-${token}'
    location: location
    tags: tags
    workspaceName: monitoring.outputs.workspaceName
    subnetId: usePrivateEndpoints ? network!.outputs.appsSubnetId : ''
  }
}

module gateway 'modules/gateway.bicep' = {
  scope: group
  name: 'gateway'
  params: {
    name: 'ca-gateway-${token}'
    location: location
    tags: tags
    environmentId: apps.outputs.id
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    registryServer: registry.outputs.loginServer
    exists: gatewayExists
    backendUrls: [
      for i in range(0, empty(given) ? length(locations) : length(given)): 'https://${empty(given) ? 'aoai-${token}-${i + 1}' : split(trim(given[i]), '/')[1]}.openai.azure.com'
    ]
    backendPriorities: priorities
    capacity: openAiCapacity
    provisioned: contains(openAiDeploymentType, 'Provisioned')
    clientKey: clientKey
    minReplicas: minReplicas
    maxReplicas: max(minReplicas, maxReplicas)
    requestsPerReplica: requestsPerReplica
    redisName: useRedis ? redis!.outputs.name : ''
    storeUrl: usePostgres
      ? 'postgresql://spillway:${storePassword}@${postgres!.outputs.host}/${postgres!.outputs.database}?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt'
      : ''
    insightsName: monitoring.outputs.insightsName
  }
  dependsOn: [accounts, roles]
}

module chat 'modules/chat.bicep' = if (useChat) {
  scope: group
  name: 'chat'
  params: {
    name: 'ca-chat-${token}'
    location: location
    tags: tags
    environmentId: apps.outputs.id
    identityId: identity.outputs.id
    registryServer: registry.outputs.loginServer
    image: gateway.outputs.image
    gatewayUrl: gateway.outputs.url
    model: openAiModel
    clientKey: clientKey
  }
}

output APIM_GATEWAY_URL string = gateway.outputs.url
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
output AZURE_RESOURCE_GROUP string = group.name
output OPENAI_CAPACITY int = openAiCapacity
output SPILLWAY_CHAT_URL string = useChat ? chat!.outputs.url : ''
