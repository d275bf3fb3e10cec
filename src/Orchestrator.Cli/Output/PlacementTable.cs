using System.Globalization;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.Cli.Output;

/// <summary>Hosts as a replica finds them: rank, each field of the score, and why not.</summary>
internal static class PlacementTable
{
    private const string None = "-";

    public static void Write(Terminal terminal, IReadOnlyList<HostExplanation> hosts)
    {
        if (hosts.Count == 0)
        {
            return;
        }

        var fields = hosts[0].Score.Keys.ToList();
        var table = new TextTable(terminal, ["RANK", "HOST", .. fields.Select(Heading), "WHY"]);
        foreach (var host in hosts)
        {
            table.Add(
            [
                host.Rank?.ToString(CultureInfo.InvariantCulture) ?? None,
                host.Name,
                .. fields.Select(field => host.Score[field]?.ToString("0.###", CultureInfo.InvariantCulture) ?? None),
                Why(host),
            ]);
        }

        terminal.Out.Write("\n");
        table.Write();
    }

    private static string Why(HostExplanation host) =>
        host.Rank is null ? "not: " + string.Join("; ", host.WhyNot)
        : host.Behind is null ? "best"
        : host.Behind;

    /// <summary><c>ofApp</c> as OF-APP.</summary>
    private static string Heading(string field) =>
        string.Concat(field.Select(letter => char.IsUpper(letter) ? $"-{letter}" : char.ToUpperInvariant(letter).ToString()));
}
