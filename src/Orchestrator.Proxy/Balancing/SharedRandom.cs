using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Proxy.Balancing;

/// <summary>
/// A seeded random source that any number of threads may draw from without a lock: SplitMix64 (Steele, Lea, Flood 2014), whose
/// state is a counter. The same seed gives the same numbers.
/// </summary>
[SuppressMessage("Security", "CA5394", Justification = "Picks replicas, never secrets.")]
internal sealed class SharedRandom(ulong seed) : Random(0)
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;

    private ulong _state = seed;

    public override int Next() => Next(int.MaxValue);

    public override int Next(int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxValue);
        return (int)Math.BigMul(Draw(), (ulong)maxValue, out _);
    }

    public override int Next(int minValue, int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxValue, minValue);
        return (int)(minValue + (long)Math.BigMul(Draw(), (ulong)((long)maxValue - minValue), out _));
    }

    public override double NextDouble() => Sample();

    protected override double Sample() => (Draw() >> 11) * (1.0 / (1UL << 53));

    /// <summary>64 random bits.</summary>
    public ulong NextBits() => Draw();

    private ulong Draw()
    {
        var z = Interlocked.Add(ref _state, Gamma);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
