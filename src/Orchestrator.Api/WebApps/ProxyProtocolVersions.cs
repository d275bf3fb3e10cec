namespace Orchestrator.Api.WebApps;

/// <summary>Values of <see cref="Route.ProxyProtocol"/>.</summary>
public static class ProxyProtocolVersions
{
    /// <summary>A line of text.</summary>
    public const string V1 = "v1";

    /// <summary>Binary.</summary>
    public const string V2 = "v2";
}
