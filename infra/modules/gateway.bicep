// The gateway as a container app. Its configuration is a file among the app's secrets.
param name string
param location string
param tags object
param environmentId string
param identityId string
param identityClientId string
param registryServer string
param exists bool
param backendUrls string[]
param backendPriorities string[]

@minValue(1)
@description('Thousands of tokens per minute of each backend')
param capacity int
param provisioned bool

@secure()
param clientKey string

@minValue(1)
param minReplicas int

@minValue(1)
param maxReplicas int

@minValue(1)
param requestsPerReplica int

@description('Azure Managed Redis to share limits through; empty: none')
param redisName string = ''

@secure()
@description('The database that replicas keep keys and owners in; empty: none')
param storeUrl string = ''
param insightsName string

var port = 8080
var useRedis = !empty(redisName)
var usePostgres = !empty(storeUrl)
var backends = [
  for (url, i) in backendUrls: union(
    {
      name: 'aoai-${i + 1}'
      url: url
      priority: int(backendPriorities[min(i, length(backendPriorities) - 1)])
      auth: { kind: 'managed_identity', client_id: identityClientId }
    },
    provisioned ? { ptu: true } : { tpm: capacity * 1000, rpm: capacity * 6 }
  )
]
var shared = union(
  useRedis
    ? {
        redis: {
          url: 'rediss://${cluster!.properties.hostName}:10000'
          password_env: 'REDIS_PASSWORD'
          replicas: minReplicas
        }
      }
    : {},
  usePostgres ? { store: { url_env: 'SPILLWAY_STORE_URL' } } : {}
)
// JSON is YAML, and this is the gateway's configuration file.
var config = union(
  {
    server: { listen: '0.0.0.0:${port}' }
    admin: { listen: '127.0.0.1:8081' }
    clients: [{ name: 'azd', key_env: 'SPILLWAY_API_KEY' }]
    backends: backends
  },
  shared
)

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource cluster 'Microsoft.Cache/redisEnterprise@2025-04-01' existing = if (useRedis) {
  name: useRedis ? redisName : 'none'
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-04-01' existing = if (useRedis) {
  parent: cluster
  name: 'default'
}

module current 'image-of.bicep' = {
  name: '${name}-image'
  params: {
    exists: exists
    name: name
  }
}

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'gateway' })
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
        targetPort: port
        transport: 'auto'
        allowInsecure: false
      }
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: concat(
        [
          { name: 'gateway-yaml', value: string(config) }
          { name: 'client-key', value: clientKey }
        ],
        useRedis ? [{ name: 'redis-key', value: database!.listKeys().primaryKey }] : [],
        usePostgres ? [{ name: 'store-url', value: storeUrl }] : []
      )
    }
    template: {
      // Longer than --grace below: streams under way may end.
      terminationGracePeriodSeconds: 600
      containers: [
        {
          name: 'gateway'
          image: current.outputs.image
          args: exists ? ['serve', '--grace', '570'] : []
          env: concat(
            [
              { name: 'SPILLWAY_CONFIG', value: '/etc/spillway/gateway.yaml' }
              { name: 'SPILLWAY_API_KEY', secretRef: 'client-key' }
              { name: 'AZURE_CLIENT_ID', value: identityClientId }
              { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
            ],
            useRedis ? [{ name: 'REDIS_PASSWORD', secretRef: 'redis-key' }] : [],
            usePostgres ? [{ name: 'SPILLWAY_STORE_URL', secretRef: 'store-url' }] : []
          )
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          volumeMounts: [{ volumeName: 'config', mountPath: '/etc/spillway' }]
          // Not of the placeholder, which the first azd up starts for a moment.
          probes: exists
            ? [
                {
                  type: 'Startup'
                  httpGet: { path: '/healthz', port: port }
                  periodSeconds: 1
                  failureThreshold: 10
                }
                {
                  type: 'Liveness'
                  httpGet: { path: '/healthz', port: port }
                  periodSeconds: 10
                }
                {
                  type: 'Readiness'
                  httpGet: { path: '/healthz', port: port }
                  periodSeconds: 5
                }
              ]
            : []
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [
          {
            name: 'requests'
            http: { metadata: { concurrentRequests: string(requestsPerReplica) } }
          }
        ]
      }
      volumes: [
        {
          name: 'config'
          storageType: 'Secret'
          secrets: [{ secretRef: 'gateway-yaml', path: 'gateway.yaml' }]
        }
      ]
    }
  }
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
output image string = current.outputs.image
