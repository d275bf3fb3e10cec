using System.Net;
using k8s;
using Orchestrator.ControlPlane.Acme;

namespace Orchestrator.Cli.Serving;

/// <summary>What <c>orc serve</c> was told; defaults are those of the command line.</summary>
internal sealed record ServeOptions
{
    public required string DataFolder { get; init; }

    /// <summary>The API server to work on; null means the embedded one.</summary>
    public KubernetesClientConfiguration? Cluster { get; init; }

    public required IPEndPoint Api { get; init; }

    /// <summary>Null means none.</summary>
    public IPEndPoint? Metrics { get; init; }

    public bool TakeLocalEngine { get; init; }

    /// <summary>Whether running replicas are moved so that their apps lie evenly on the hosts.</summary>
    public bool Rebalance { get; init; }

    /// <summary>Where certificates are ordered for apps with <c>route.tls.acme</c>; null means nowhere.</summary>
    public AcmeOptions? Acme { get; init; }

    public required IPEndPoint ProxyListen { get; init; }

    /// <summary>Null means none.</summary>
    public IPEndPoint? ProxyTlsListen { get; init; }

    /// <summary>Words after <c>orc proxy</c>, given the embedded server's kubeconfig for proxies; null means no proxy.</summary>
    public Func<string?, string[]>? ProxyArguments { get; init; }

    public TimeSpan ProxyDrainTimeout { get; init; }

    /// <summary>Whether people read the log: then they are told in plain words where everything is.</summary>
    public bool Banner { get; init; }
}
