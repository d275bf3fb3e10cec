namespace Orchestrator.Proxy.Routing;

/// <summary>Why an endpoint is avoided while there are others.</summary>
[Flags]
internal enum AvoidReasons
{
    None = 0,

    /// <summary>It did not take a connection, or its host is silent.</summary>
    NoConnection = 1,

    /// <summary>It does far worse than the app's others.</summary>
    Outlier = 2,
}
