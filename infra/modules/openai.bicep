// One Azure OpenAI account with one deployment. Keys are off: only the given identity may ask.
param name string
param location string
param tags object
param model string
param modelVersion string
param deploymentType string

@minValue(1)
param capacity int
param userPrincipalId string

@description('Region of the private endpoint: that of its subnet')
param endpointLocation string

@description('Subnet of the private endpoint; empty: the account is reached publicly')
param subnetId string = ''
param zoneId string = ''

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'
  }
}

resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = {
  parent: account
  name: model
  sku: {
    name: deploymentType
    capacity: capacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: model
      version: modelVersion
    }
    versionUpgradeOption: 'NoAutoUpgrade'
  }
}

module role 'openai-role.bicep' = {
  name: '${name}-role'
  params: {
    accountName: account.name
    principalId: userPrincipalId
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = if (!empty(subnetId)) {
  name: 'pe-${name}'
  location: endpointLocation
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: name
        properties: {
          privateLinkServiceId: account.id
          groupIds: ['account']
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = if (!empty(subnetId)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'openai'
        properties: { privateDnsZoneId: zoneId }
      }
    ]
  }
}

output endpoint string = account.properties.endpoint
