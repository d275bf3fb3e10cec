namespace Orchestrator.Api;

/// <summary>The API group and version of every kind defined here; the CRD files under <c>crds/</c> say the same.</summary>
public static class ApiGroup
{
    public const string Name = "orchestrator.dev";
    public const string Version = "v1";
    public const string GroupVersion = Name + "/" + Version;

    /// <summary>
    /// Holds what belongs to the installation rather than to an app: TLS secrets of hosts, leases of proxies and leaders.
    /// The uid of this Namespace object identifies the installation (<see cref="Labels.Instance"/>).
    /// </summary>
    public const string SystemNamespace = "orchestrator-system";

    /// <summary>Holds the Secrets that proxies may read (<see cref="WebApps.ProxySecrets"/>), and no others.</summary>
    public const string ProxyNamespace = "orchestrator-proxies";
}
