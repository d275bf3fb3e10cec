using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// Whether an object is what its schema says. All faults are collected, in the words of Kubernetes' <c>kube-openapi</c> validator.
/// Recursion is bounded by the depth of the object, which its parser bounds.
/// </summary>
internal sealed class SchemaValidation(FieldErrors errors)
{
    private readonly FieldPath _path = new();

    public static void Validate(JsonObject resource, StructuralSchema schema, FieldErrors errors) =>
        new SchemaValidation(errors).Check(resource, schema);

    /// <summary>For a part of an object.</summary>
    /// <param name="name">The member that the part is of the whole.</param>
    public static void Validate(JsonNode? part, string name, StructuralSchema schema, FieldErrors errors)
    {
        var validation = new SchemaValidation(errors);
        validation._path.Push(name);
        validation.Check(part, schema);
    }

    private void Check(JsonNode? node, StructuralSchema schema)
    {
        if (errors.IsFull)
        {
            return;
        }

        if (!HasType(node, schema))
        {
            return;
        }

        CheckCombinations(node, schema);
        switch (node?.GetValueKind())
        {
            case JsonValueKind.String:
                CheckText(node.GetValue<string>(), schema);
                break;
            case JsonValueKind.Number:
                CheckNumber(node, schema);
                break;
            case JsonValueKind.Array:
                CheckItems((JsonArray)node, schema);
                break;
            case JsonValueKind.Object:
                CheckMembers((JsonObject)node, schema);
                break;
        }

        if (schema.Enum.Count > 0 && node is not null && !schema.Enum.Any(allowed => JsonNode.DeepEquals(allowed, node)))
        {
            errors.Add(FieldError.NotSupported(_path.ToString(), node, schema.Enum.Select(Plain)));
        }
    }

    private bool HasType(JsonNode? node, StructuralSchema schema)
    {
        var expected = schema.IsIntOrString ? "integer,string" : schema.Type;
        if (expected is null
            || (node is null && schema.IsNullable)
            || (schema.IsIntOrString ? IsKind(node, "integer") || IsKind(node, "string") : IsKind(node, expected)))
        {
            return true;
        }

        var actual = KindOf(node);
        errors.Add(FieldError.TypeInvalid(_path.ToString(), actual, $"{_path} in body must be of type {expected}: \"{actual}\""));
        return false;
    }

    private void CheckText(string text, StructuralSchema schema)
    {
        // Characters, not UTF-16 units; counted only where it can matter.
        if (schema.MaxLength is { } maximum && text.Length > maximum && CountRunes(text) > maximum)
        {
            errors.Add(FieldError.TooLong(_path.ToString(), maximum));
            return;
        }

        if (schema.MinLength is { } minimum && CountRunes(text) < minimum)
        {
            Add(text, Invariant($"{_path} in body should be at least {minimum} chars long"));
            return;
        }

        if (schema.Pattern is { } pattern && !pattern.IsMatch(text))
        {
            Add(text, $"{_path} in body should match '{pattern.Source}'");
            return;
        }

        if (schema.Format is { } format && !SchemaFormats.IsValid(format, text))
        {
            errors.Add(SchemaFormats.IsSecret(format)
                ? FieldError.Invalid(_path.ToString(), $"{_path} in body must be of type {format}")
                : FieldError.TypeInvalid(_path.ToString(), text, $"{_path} in body must be of type {format}: \"{text}\""));
        }
    }

    private void CheckNumber(JsonNode node, StructuralSchema schema)
    {
        JsonNumber.TryRead(node, out var number);
        if (schema is { Type: "integer", Format: "int32" } && number.Integer is < int.MinValue or > int.MaxValue)
        {
            Add(node, $"Checked value must be of type integer with format int32 in {_path}");
            return;
        }

        // Bounds are printed as integers beside an integer.
        string Show(double bound) => number.Integer is not null && Math.Truncate(bound).Equals(bound)
            ? bound.ToString("F0", CultureInfo.InvariantCulture)
            : bound.ToString("R", CultureInfo.InvariantCulture);

        if (schema.MultipleOf is { } factor && factor > 0 && !Math.Truncate(number.Value / factor).Equals(number.Value / factor))
        {
            Add(node, $"{_path} in body should be a multiple of {Show(factor)}");
        }

        if (schema.Minimum is { } minimum && (schema.IsMinimumExclusive ? number.Value <= minimum : number.Value < minimum))
        {
            Add(node, $"{_path} in body should be greater than {(schema.IsMinimumExclusive ? "" : "or equal to ")}{Show(minimum)}");
        }

        if (schema.Maximum is { } maximum && (schema.IsMaximumExclusive ? number.Value >= maximum : number.Value > maximum))
        {
            Add(node, $"{_path} in body should be less than {(schema.IsMaximumExclusive ? "" : "or equal to ")}{Show(maximum)}");
        }
    }

    private void CheckItems(JsonArray items, StructuralSchema schema)
    {
        if (schema.MinItems is { } minimum && items.Count < minimum)
        {
            Add(items.Count, Invariant($"{_path} in body should have at least {minimum} items"));
        }

        if (schema.MaxItems is { } maximum && items.Count > maximum)
        {
            errors.Add(FieldError.TooMany(_path.ToString(), items.Count, maximum));
        }

        for (var index = 0; schema.Items is not null && index < items.Count && !errors.IsFull; index++)
        {
            _path.Push(index);
            Check(items[index], schema.Items);
            _path.Pop();
        }

        ListTypes.Check(items, schema, _path, errors);
    }

    private void CheckMembers(JsonObject members, StructuralSchema schema)
    {
        if (schema.MinProperties is { } minimum && members.Count < minimum)
        {
            Add(members.Count, Invariant($"{_path} in body should have at least {minimum} properties"));
        }

        if (schema.MaxProperties is { } maximum && members.Count > maximum)
        {
            errors.Add(FieldError.TooMany(_path.ToString(), members.Count, maximum));
        }

        foreach (var name in schema.Required)
        {
            if (!members.ContainsKey(name))
            {
                errors.Add(FieldError.Required(_path.Of(name)));
            }
        }

        foreach (var (name, member) in members)
        {
            if (schema.Member(name) is { } known)
            {
                _path.Push(name);
                Check(member, known);
                _path.Pop();
            }
        }
    }

    private void CheckCombinations(JsonNode? node, StructuralSchema schema)
    {
        foreach (var part in schema.AllOf)
        {
            Check(node, part);
        }

        // On an int-or-string, anyOf only says in other words what its type check has said.
        if (schema.AnyOf.Count > 0 && !schema.IsIntOrString && Best(node, schema.AnyOf, out _) is { } failures)
        {
            Add("", $"\"{_path}\" must validate at least one schema (anyOf)");
            errors.AddRange(failures);
        }

        if (schema.OneOf.Count > 0)
        {
            var best = Best(node, schema.OneOf, out var valid);
            if (valid != 1)
            {
                Add("", $"\"{_path}\" must validate one and only one schema (oneOf). "
                    + (valid == 0 ? "Found none valid" : Invariant($"Found {valid} valid alternatives")));
                errors.AddRange(best ?? []);
            }
        }

        if (schema.Not is not null && Failures(node, schema.Not).Count == 0)
        {
            Add("", $"\"{_path}\" must not validate the schema (not)");
        }
    }

    /// <returns>The failures of the alternative that came nearest; null when one or more are valid.</returns>
    private FieldErrors? Best(JsonNode? node, IReadOnlyList<StructuralSchema> alternatives, out int valid)
    {
        FieldErrors? best = null;
        valid = 0;
        foreach (var alternative in alternatives)
        {
            var failures = Failures(node, alternative);
            valid += failures.Count == 0 ? 1 : 0;
            best = best is null || failures.Count < best.Count ? failures : best;
        }

        return valid > 0 ? null : best;
    }

    private FieldErrors Failures(JsonNode? node, StructuralSchema schema)
    {
        var apart = new FieldErrors();
        var validation = new SchemaValidation(apart);
        validation._path.CopyFrom(_path);
        validation.Check(node, schema);
        return apart;
    }

    private void Add(JsonNode? value, string detail) => errors.Add(FieldError.Invalid(_path.ToString(), value, detail));

    private static string Plain(JsonNode? allowed) =>
        allowed?.GetValueKind() == JsonValueKind.String ? allowed.GetValue<string>() : allowed?.ToJsonString() ?? "null";

    private static int CountRunes(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }

    private static bool IsKind(JsonNode? node, string type) =>
        KindOf(node) is var kind && (kind == type || (type == "number" && kind == "integer"));

    private static string KindOf(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Array => "array",
        JsonValueKind.Object => "object",
        _ => JsonNumber.TryRead(node, out var number) && number.Integer is not null ? "integer" : "number",
    };

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
