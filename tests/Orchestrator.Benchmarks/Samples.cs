using System.Globalization;

namespace Orchestrator.Benchmarks;

/// <summary>Times of one side in ms, one a round.</summary>
internal sealed class Samples(string name)
{
    private readonly List<double> _values = [];

    public string Name => name;

    public double Median
    {
        get
        {
            var sorted = _values.Order().ToList();
            return sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }

    public void Add(TimeSpan time) => _values.Add(time.TotalMilliseconds);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-6} median {Median,7:F0}  rounds {string.Join(' ', _values.Select(value => value.ToString("F0", CultureInfo.InvariantCulture)))}");
}
