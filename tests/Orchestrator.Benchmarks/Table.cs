using System.Globalization;

namespace Orchestrator.Benchmarks;

/// <summary>Medians and spread of several sides, one a line.</summary>
internal sealed class Table(TextWriter output)
{
    public Task HeadAsync(string what) => output.WriteLineAsync($"{what,-28} {"median",8} {"least",8} {"most",8}  rounds");

    public Task RowAsync(Samples samples, string format = "F0")
    {
        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return output.WriteLineAsync(
            $"{samples.Name,-28} {Text(samples.Median),8} {Text(samples.Least),8} {Text(samples.Most),8}  {string.Join(' ', samples.Values.Select(Text))}");
    }
}
