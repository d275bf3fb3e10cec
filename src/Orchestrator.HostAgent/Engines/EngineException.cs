namespace Orchestrator.HostAgent.Engines;

/// <summary>What went wrong with a call to an engine, as far as a caller decides by it.</summary>
public enum EngineFailure
{
    /// <summary>Nothing there: connection refused, no such socket. The call was never sent.</summary>
    Refused,

    /// <summary>No way there: no route, no such name, connecting took too long. The call was never sent.</summary>
    Unreachable,

    /// <summary>TLS could not be agreed on, or one side does not trust the other's certificate. The call was never sent.</summary>
    Tls,

    /// <summary>ssh lets us not in, does not trust the other machine, or is not here. The call was never sent.</summary>
    Ssh,

    /// <summary>The engine is too old, or too new, to talk to.</summary>
    Incompatible,

    /// <summary>The call was sent and the connection lost before the answer: it may have been carried out.</summary>
    Interrupted,

    /// <summary>The call was sent and not answered in time: it may have been carried out, or be yet.</summary>
    Unanswered,

    /// <summary>The engine says that there is no such container or image (404).</summary>
    NotFound,

    /// <summary>The engine says that something of this name exists, or that this is being done already (409).</summary>
    Conflict,

    /// <summary>The engine does not accept the request as it is (other 4xx).</summary>
    Rejected,

    /// <summary>The engine tried and failed (5xx, or an error inside a stream).</summary>
    Failed,
}

/// <summary>A call to an engine failed. <see cref="Exception.Message"/> is a sentence for people and holds no secret.</summary>
public sealed class EngineException(EngineFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public EngineFailure Failure { get; } = failure;

    /// <summary>The engine never saw the call: repeating it is safe whatever it is.</summary>
    public bool NeverSent => Failure is EngineFailure.Refused or EngineFailure.Unreachable or EngineFailure.Tls or EngineFailure.Ssh;

    /// <summary>It says something about the way to the engine, not about what was asked of it.</summary>
    public bool IsTransport => NeverSent || Failure is EngineFailure.Interrupted or EngineFailure.Unanswered or EngineFailure.Incompatible;
}
