using Orchestrator.ApiServer.Rest;

namespace Orchestrator.ApiServer.Objects;

/// <summary>What a write does about fields that the schema does not know, and about fields that are given twice.</summary>
internal enum FieldValidation
{
    /// <summary>Drops them in silence.</summary>
    Ignore,

    /// <summary>Drops them with a warning: the server's default.</summary>
    Warn,

    /// <summary>Refuses them: kubectl's default.</summary>
    Strict,
}

/// <summary>How a write is to be done.</summary>
internal sealed class WriteOptions
{
    /// <summary>Most warnings told for one write.</summary>
    private const int MostWarnings = 20;

    /// <summary>
    /// Most characters of all warnings of one write, as in Kubernetes: they go into headers, which clients and proxies bound to few
    /// kilobytes.
    /// </summary>
    private const int MostWarningText = 4096;

    private readonly List<string> _warnings = [];

    /// <summary>Everything but storing.</summary>
    public bool DryRun { get; init; }

    public FieldValidation FieldValidation { get; init; } = FieldValidation.Warn;

    /// <summary>What was wrong already in the request's body, such as duplicate fields; to be dealt with like unknown ones.</summary>
    public IReadOnlyList<string> BodyFaults { get; init; } = [];

    /// <summary>Filled by the write, for the answer's Warning headers.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Deals with unknown and duplicate fields as asked. May be called again: what is known already is told once.</summary>
    /// <param name="unknown">Paths such as <c>spec.foo</c>.</param>
    /// <returns>Null to go on.</returns>
    public Status? Report(IReadOnlyList<string> unknown)
    {
        IReadOnlyList<string> faults = [.. BodyFaults, .. unknown.Select(path => $"unknown field \"{path}\"")];
        if (faults.Count == 0 || FieldValidation == FieldValidation.Ignore)
        {
            return null;
        }

        if (FieldValidation == FieldValidation.Strict)
        {
            return Status.BadRequest("strict decoding error: " + string.Join(", ", faults));
        }

        foreach (var fault in faults.Except(_warnings))
        {
            if (_warnings.Count < MostWarnings && _warnings.Sum(warning => warning.Length) + fault.Length <= MostWarningText)
            {
                _warnings.Add(fault);
            }
        }

        return null;
    }
}
