using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>What a client is told about a patch that cannot be applied.</summary>
public enum PatchFailure
{
    /// <summary>400: the patch itself is malformed.</summary>
    BadRequest,

    /// <summary>413: it has too many operations, or would grow the object without bound.</summary>
    TooLarge,

    /// <summary>422: well formed, but not for this object: a path that is not there, a test that fails.</summary>
    Unprocessable,
}

/// <param name="Message">For the Status of the answer.</param>
public sealed record PatchError(PatchFailure Failure, string Message);

/// <summary>The patched object, or why there is none. The object is new: neither the original nor the patch was changed.</summary>
public readonly struct PatchResult
{
    private PatchResult(JsonObject? value, PatchError? error) => (Object, Error) = (value, error);

    public JsonObject? Object { get; }

    public PatchError? Error { get; }

    [MemberNotNullWhen(true, nameof(Object))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool Succeeded => Object is not null;

    public static PatchResult Of(JsonObject value) => new(value, null);

    public static PatchResult Fail(PatchFailure failure, string message) => new(null, new PatchError(failure, message));
}
