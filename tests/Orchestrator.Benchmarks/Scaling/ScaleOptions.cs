using System.Globalization;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>How large, and how fast the engines are.</summary>
/// <param name="Hosts">1 to 10,000.</param>
/// <param name="Replicas">At least 1.</param>
/// <param name="LatencyFactor">0: engines do not wait; 1: as long as real ones take.</param>
internal sealed record ScaleOptions(int Hosts, int Replicas, double LatencyFactor)
{
    public const string Usage = "scale [--hosts N] [--replicas N] [--latency-factor X]";

    private const int MostHosts = 10_000;

    private static ScaleOptions Default { get; } = new(1_000, 20_000, 1);

    /// <returns>Null: not understood.</returns>
    public static ScaleOptions? Parse(IEnumerable<string> arguments)
    {
        var options = Default;
        foreach (var pair in arguments.Chunk(2))
        {
            var understood = pair switch
            {
                ["--hosts", var text] when Count(text) is <= MostHosts and var hosts => options with { Hosts = hosts },
                ["--replicas", var text] when Count(text) is { } replicas => options with { Replicas = replicas },
                ["--latency-factor", var text] when double.TryParse(text, CultureInfo.InvariantCulture, out var factor) && factor is >= 0 and <= 100 =>
                    options with { LatencyFactor = factor },
                _ => null,
            };
            if (understood is null)
            {
                return null;
            }

            options = understood;
        }

        return options;
    }

    private static int? Count(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count : null;
}
