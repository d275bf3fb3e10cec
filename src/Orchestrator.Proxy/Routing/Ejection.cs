namespace Orchestrator.Proxy.Routing;

/// <summary>How often and until when an endpoint is avoided as an outlier.</summary>
internal sealed class Ejection
{
    /// <summary>Of late: forgotten once it has done well for long.</summary>
    public int Times { get; set; }

    public long Since { get; set; }

    public TimeSpan Length { get; set; }
}
