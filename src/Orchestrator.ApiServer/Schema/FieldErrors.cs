using System.Collections;

namespace Orchestrator.ApiServer.Schema;

/// <summary>The faults of one object, in the order found, none twice. Bounded: an object of a million faults answers with the first.</summary>
public sealed class FieldErrors : IReadOnlyList<FieldError>
{
    /// <summary>Faults an answer can hold; what comes after is dropped. More than a person reads, and less than a response may be.</summary>
    public const int Capacity = 100;

    private readonly List<FieldError> _errors = [];
    private readonly HashSet<FieldError> _known = [];

    public int Count => _errors.Count;

    public bool IsFull => _errors.Count >= Capacity;

    public FieldError this[int index] => _errors[index];

    public void Add(FieldError error)
    {
        if (!IsFull && _known.Add(error))
        {
            _errors.Add(error);
        }
    }

    public void AddRange(IEnumerable<FieldError> errors)
    {
        foreach (var error in errors)
        {
            Add(error);
        }
    }

    public IEnumerator<FieldError> GetEnumerator() => _errors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>As Kubernetes ends a Status' message: one fault plain, several in brackets.</summary>
    public override string ToString() => Count == 1 ? _errors[0].ToString() : $"[{string.Join(", ", _errors)}]";
}
