using System.Globalization;
using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>Label selectors by Kubernetes' rules: of hosts as a nodeSelector's, of apps as a labelSelector's.</summary>
internal static class Expressions
{
    /// <summary>All expressions hold; a term without any matches nothing.</summary>
    public static bool Matches(HostSelectorTerm term, HostSnapshot host) =>
        term.MatchExpressions is { Count: > 0 } expressions && expressions.All(one => Holds(one.OperatorProperty, one.Values, host.Label(one.Key)));

    /// <param name="selector">Null selects nothing, an empty one everything.</param>
    /// <param name="label">The value of a label; null where it is not there.</param>
    public static bool Selects(V1LabelSelector? selector, Func<string, string?> label) =>
        selector is not null
        && (selector.MatchLabels ?? new Dictionary<string, string>()).All(wanted => label(wanted.Key) == wanted.Value)
        && (selector.MatchExpressions ?? []).All(one => Holds(one.OperatorProperty, one.Values, label(one.Key)));

    // What no server that checks would store holds for nothing.
    private static bool Holds(string @operator, IList<string>? values, string? value) => @operator switch
    {
        SelectorOperators.In => value is not null && values?.Contains(value) == true,
        SelectorOperators.NotIn => value is null || values?.Contains(value) != true,
        SelectorOperators.Exists => value is not null,
        SelectorOperators.DoesNotExist => value is null,
        SelectorOperators.Gt => Order(value, values) > 0,
        SelectorOperators.Lt => Order(value, values) < 0,
        _ => false,
    };

    /// <returns>Null where one of them is no whole number.</returns>
    private static int? Order(string? value, IList<string>? values) =>
        values is [var bound] && Number(value) is { } number && Number(bound) is { } limit ? number.CompareTo(limit) : null;

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
