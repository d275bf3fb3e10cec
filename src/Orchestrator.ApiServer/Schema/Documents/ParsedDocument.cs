using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Documents;

/// <summary>Why a body is no document.</summary>
/// <param name="IsTooLarge">413 rather than 400.</param>
/// <param name="Message">Says where, as line and column from 1, when that is known.</param>
public sealed record DocumentError(bool IsTooLarge, string Message);

/// <summary>A parsed request body, or why there is none.</summary>
/// <param name="Root">Null when there is an error; also for the JSON value null.</param>
/// <param name="DuplicateFields">
/// Paths of fields that are there more than once, of which the last counts: an error or a warning as <c>fieldValidation</c> says.
/// </param>
public sealed record ParsedDocument(JsonNode? Root, IReadOnlyList<string> DuplicateFields, DocumentError? Error)
{
    [MemberNotNullWhen(false, nameof(Error))]
    public bool Succeeded => Error is null;

    internal static ParsedDocument Fail(string message) => new(null, [], new DocumentError(false, message));

    internal static ParsedDocument TooLarge(string message) => new(null, [], new DocumentError(true, message));

    internal static ParsedDocument? Oversize(int length, DocumentLimits limits) =>
        length > limits.MaxBytes ? TooLarge($"Request entity too large: limit is {limits.MaxBytes}") : null;
}

/// <summary>Leaves the recursion of a parser; never leaves this namespace.</summary>
internal sealed class MalformedDocumentException(string message, bool isTooLarge = false) : Exception(message)
{
    public bool IsTooLarge { get; } = isTooLarge;
}

/// <summary>Counts what a document holds while it is parsed, and keeps the paths of fields that are there twice.</summary>
internal sealed class DocumentBudget(DocumentLimits limits)
{
    /// <summary>Paths that are told.</summary>
    private const int MaxDuplicates = 100;

    private readonly List<string> _duplicates = [];
    private int _values;

    public FieldPath Path { get; } = new();

    public IReadOnlyList<string> Duplicates => _duplicates;

    public void AddValue(int depth)
    {
        if (++_values > limits.MaxValues)
        {
            throw new MalformedDocumentException($"the document has more than {limits.MaxValues} values", isTooLarge: true);
        }

        if (depth > limits.MaxDepth)
        {
            throw new MalformedDocumentException($"the document is nested more than {limits.MaxDepth} levels deep");
        }
    }

    public void AddMember(JsonObject parent, string name, JsonNode? value)
    {
        // The last one counts, as in Kubernetes.
        if (!parent.TryAdd(name, value))
        {
            parent[name] = value;
            if (_duplicates.Count < MaxDuplicates && Path.Of(name) is var path && !_duplicates.Contains(path))
            {
                _duplicates.Add(path);
            }
        }
    }
}
