namespace Orchestrator.Cli.Output;

/// <summary>A span of time together with how it is typed, which is how help shows a default.</summary>
internal readonly record struct TypedDuration(TimeSpan Span, string Text)
{
    /// <returns>Null when it is none.</returns>
    public static TypedDuration? Parse(string text) => Durations.Parse(text) is { } span ? new(span, text) : null;

    public override string ToString() => Text;
}
