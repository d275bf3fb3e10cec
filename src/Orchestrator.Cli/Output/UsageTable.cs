using System.Globalization;
using Orchestrator.Cli.Usage;

namespace Orchestrator.Cli.Output;

/// <summary>What is in use, in kubectl top's units, with its share of what it is set against.</summary>
internal static class UsageTable
{
    private const string None = "<none>";
    private const string Unknown = "<unknown>";
    private const decimal Mebibyte = 1 << 20;

    /// <param name="rows">At least one.</param>
    /// <param name="withNamespace">Whether they are of several namespaces.</param>
    /// <param name="single">Each of one replica: its host stands where else their number does.</param>
    /// <param name="withTraffic">Whether there are columns for what proxies see.</param>
    public static void Write(Terminal terminal, IReadOnlyList<UsageRow> rows, bool withNamespace, bool single, bool withTraffic)
    {
        var bounds = rows[0].Bounds.Select(bound => bound.Name.ToUpperInvariant()).ToList();
        var table = new TextTable(
            terminal,
            [
                .. withNamespace ? ["NAMESPACE"] : Array.Empty<string>(),
                "NAME",
                single ? "HOST" : "REPLICAS",
                "CPU(cores)",
                .. bounds.Select(name => $"CPU/{name}"),
                "MEMORY(bytes)",
                .. bounds.Select(name => $"MEMORY/{name}"),
                .. withTraffic ? ["REQ/S", "INFLIGHT", "ERRORS", .. RequestTraffic.Percentiles.Select(percent => $"P{percent}")] : Array.Empty<string>(),
                "WHY",
            ]);
        foreach (var row in rows)
        {
            table.Add(
            [
                .. withNamespace ? [row.Namespace ?? ""] : Array.Empty<string>(),
                row.Name,
                single ? row.HostName ?? None : string.Create(CultureInfo.InvariantCulture, $"{row.Measured}/{row.Replicas}"),
                Millicores(row.CpuCores),
                .. row.Bounds.Select(bound => Share(row.CpuCores, bound.CpuCores)),
                Mebibytes(row.MemoryBytes),
                .. row.Bounds.Select(bound => Share(row.MemoryBytes, bound.MemoryBytes)),
                .. withTraffic
                    ? [
                        RequestTraffic.PerSecond(row.Traffic),
                        RequestTraffic.InFlight(row.Traffic),
                        RequestTraffic.Errors(row.Traffic),
                        .. RequestTraffic.Percentiles.Select(percent => RequestTraffic.Latency(row.Traffic, percent)),
                    ]
                    : Array.Empty<string>(),
                row.Why ?? "",
            ]);
        }

        table.Write();
    }

    /// <summary>Rounded up, as Kubernetes' quantities are: what is used at all is not 0.</summary>
    private static string Millicores(decimal? cores) =>
        cores is null ? Unknown : $"{decimal.Ceiling(cores.Value * 1000).ToString("0", CultureInfo.InvariantCulture)}m";

    private static string Mebibytes(decimal? bytes) =>
        bytes is null ? Unknown : $"{decimal.Floor(bytes.Value / Mebibyte).ToString("0", CultureInfo.InvariantCulture)}Mi";

    private static string Share(decimal? used, decimal? bound) =>
        bound is not > 0 ? None : used is null ? Unknown : $"{decimal.Floor(used.Value / bound.Value * 100).ToString("0", CultureInfo.InvariantCulture)}%";
}
