namespace Orchestrator.Benchmarks;

/// <summary>Measured values of one side, one a round.</summary>
internal sealed class Samples(string name)
{
    private readonly List<double> _values = [];

    public string Name => name;

    public IReadOnlyList<double> Values => _values;

    public double Least => _values.Min();

    public double Most => _values.Max();

    public double Median => MedianOf(_values);

    /// <summary>Median of the ratios round by round; both have as many rounds.</summary>
    public double RatioTo(Samples other) => MedianOf(_values.Zip(other._values, (mine, its) => mine / its));

    /// <summary>In ms.</summary>
    public void Add(TimeSpan time) => Add(time.TotalMilliseconds);

    public void Add(double value) => _values.Add(value);

    private static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
