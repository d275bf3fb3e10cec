using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.ApiServer.Rest;

/// <summary>A value, or the Status that the client is answered instead.</summary>
internal readonly struct Outcome<T>
    where T : class
{
    private Outcome(T? value, Status? failure) => (Value, Failure) = (value, failure);

    public T? Value { get; }

    public Status? Failure { get; }

    [MemberNotNullWhen(true, nameof(Failure))]
    [MemberNotNullWhen(false, nameof(Value))]
    public bool Failed => Failure is not null;

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Status failure) => new(null, failure);
}
