namespace Orchestrator.Proxy.Forwarding;

/// <summary>Classes of status, as the metrics label requests by them.</summary>
internal static class StatusClasses
{
    public static IReadOnlyList<string> All { get; } = ["1xx", "2xx", "3xx", "4xx", "5xx"];

    public static int IndexOf(int status) => Math.Clamp((status / 100) - 1, 0, All.Count - 1);
}
