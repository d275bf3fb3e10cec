namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>Manifests as users write them.</summary>
internal static class Manifests
{
    /// <param name="extra">More lines of the spec, indented by two.</param>
    public static string Web(string name, string image, int replicas, string extra = "") => $"""
        apiVersion: orchestrator.dev/v1
        kind: WebApp
        metadata:
          name: {name}
          namespace: default
        spec:
          image: {image}
          replicas: {replicas}
          terminationGracePeriodSeconds: 5
          readinessProbe:
            httpGet:
              path: /healthz
            periodSeconds: 1
          route:
            hosts: [{HostName(name)}]
        {extra}
        """;

    public static string HostName(string app) => $"{app}.example.org";
}
