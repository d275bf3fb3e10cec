using Microsoft.Extensions.Primitives;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Plain;

/// <summary>A route's changes of a request's fields, carried out while one request's are written.</summary>
internal sealed class FieldEdits(HeaderEdits edits)
{
    private readonly Dictionary<string, StringValues> _rest = ValuesOf(edits);

    /// <summary>What is left to be written: fields that the request did not have.</summary>
    public IEnumerable<KeyValuePair<string, StringValues>> Rest => _rest;

    /// <returns>False: the field goes, and what is set in its place is in <see cref="Rest"/>.</returns>
    public bool Change(string name, ref StringValues values)
    {
        if (Has(edits.Remove, name, static one => one) || Has(edits.Set, name, static one => one.Name))
        {
            return false;
        }

        if (_rest.Remove(name, out var added))
        {
            values = StringValues.Concat(values, added);
        }

        return true;
    }

    private static bool Has<T>(IList<T>? list, string name, Func<T, string> nameOf) =>
        list?.Any(one => nameOf(one).Equals(name, StringComparison.OrdinalIgnoreCase)) == true;

    private static Dictionary<string, StringValues> ValuesOf(HeaderEdits edits)
    {
        var values = new Dictionary<string, StringValues>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in edits.Set ?? [])
        {
            values[field.Name] = field.Value;
        }

        foreach (var field in edits.Add ?? [])
        {
            values[field.Name] = StringValues.Concat(values.GetValueOrDefault(field.Name), field.Value);
        }

        return values;
    }
}
