using System.Globalization;

namespace Orchestrator.ApiServer.Selectors;

/// <summary>How the values of a requirement relate to the label.</summary>
public enum LabelOperator
{
    Exists,
    DoesNotExist,
    Equals,
    DoubleEquals,
    NotEquals,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}

/// <summary>One term of a label selector.</summary>
/// <param name="Values">Sorted, no value twice. Empty for existence, one value for comparisons.</param>
public sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlyList<string> Values)
{
    /// <param name="value">The label's value; null when the object has no such label.</param>
    public bool Matches(string? value) => Operator switch
    {
        LabelOperator.Exists => value is not null,
        LabelOperator.DoesNotExist => value is null,
        LabelOperator.Equals or LabelOperator.DoubleEquals or LabelOperator.In => value is not null && Values.Contains(value),

        // An object without the label is not equal to anything.
        LabelOperator.NotEquals or LabelOperator.NotIn => value is null || !Values.Contains(value),
        LabelOperator.GreaterThan => TryCompare(value, out var order) && order > 0,
        LabelOperator.LessThan => TryCompare(value, out var order) && order < 0,
        _ => throw new InvalidOperationException($"no such operator: {Operator}"),
    };

    public override string ToString() => Operator switch
    {
        LabelOperator.Exists => Key,
        LabelOperator.DoesNotExist => "!" + Key,
        LabelOperator.Equals => $"{Key}={Values[0]}",
        LabelOperator.DoubleEquals => $"{Key}=={Values[0]}",
        LabelOperator.NotEquals => $"{Key}!={Values[0]}",
        LabelOperator.In => $"{Key} in ({string.Join(',', Values)})",
        LabelOperator.NotIn => $"{Key} notin ({string.Join(',', Values)})",
        LabelOperator.GreaterThan => $"{Key}>{Values[0]}",
        LabelOperator.LessThan => $"{Key}<{Values[0]}",
        _ => throw new InvalidOperationException($"no such operator: {Operator}"),
    };

    private bool TryCompare(string? value, out int order)
    {
        order = 0;
        if (!TryInteger(value, out var left) || !TryInteger(Values[0], out var right))
        {
            return false;
        }

        order = left.CompareTo(right);
        return true;
    }

    internal static bool TryInteger(string? text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}
