// The chat app in front of the gateway: the same image, another verb. Present once the gateway was deployed.
param name string
param location string
param tags object
param environmentId string
param identityId string
param registryServer string
param image string
param gatewayUrl string
param model string

@secure()
param clientKey string

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    managedEnvironmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8082
        transport: 'auto'
      }
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: [{ name: 'client-key', value: clientKey }]
    }
    template: {
      containers: [
        {
          name: 'chat'
          image: image
          args: ['chat', '--public', '--listen', '0.0.0.0:8082', '--database', '/tmp/chat.db']
          env: [
            { name: 'OPENAI_HOST', value: 'azure_custom' }
            { name: 'AZURE_OPENAI_CUSTOM_URL', value: gatewayUrl }
            { name: 'AZURE_OPENAI_CHATGPT_DEPLOYMENT', value: model }
            { name: 'AZURE_OPENAI_API_KEY_OVERRIDE', secretRef: 'client-key' }
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
        }
      ]
      // One replica: conversations are kept in its file system.
      scale: {
        minReplicas: 1
        maxReplicas: 1
      }
    }
  }
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
