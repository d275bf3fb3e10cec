using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>What a proxy's Lease tells of its apps (<see cref="Annotations.Traffic"/>), by app.</summary>
public sealed class ToldTraffic
{
    private readonly Dictionary<string, TrafficObservation> _apps;

    private ToldTraffic(string proxy, string? text)
    {
        var report = TrafficReport.Read(text);
        (Proxy, Text, Omitted) = (proxy, text, report.Omitted);
        _apps = report.Apps.Where(app => app is { App: not null }).DistinctBy(app => app.App).ToDictionary(app => app.App);
    }

    /// <summary>The Lease's name.</summary>
    public string Proxy { get; }

    /// <summary>The annotation's; null when there is none.</summary>
    public string? Text { get; }

    /// <summary>How many apps there was no room for.</summary>
    public int Omitted { get; }

    public IEnumerable<TrafficObservation> Apps => _apps.Values;

    /// <param name="before">What the same Lease told when it was last read: the result, if it still tells the same.</param>
    public static ToldTraffic Of(V1Lease lease, ToldTraffic? before = null)
    {
        var text = lease.Metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.Traffic, out var written) ? written : null;
        return before is not null && before.Text == text ? before : new(lease.Metadata.Name, text);
    }

    /// <param name="app"><c>namespace/name</c>.</param>
    /// <returns>Null when it is not told: nothing is known of it then.</returns>
    public TrafficObservation? Find(string app) => _apps.GetValueOrDefault(app);
}
