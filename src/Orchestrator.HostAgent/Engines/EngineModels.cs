using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Engines;

/// <summary>What an engine says about itself and its machine.</summary>
/// <param name="Architecture">In Go's words: amd64, arm64.</param>
/// <param name="DataFolder">On its machine; null when it does not say.</param>
public sealed record EngineFacts(
    string EngineVersion, string ApiVersion, string OperatingSystem, string Architecture, long Processors, long MemoryBytes, string? DataFolder);

/// <summary>One line of a container list: enough to see what is there and in which state.</summary>
public sealed record ListedContainer(string Id, string Name, IReadOnlyDictionary<string, string> Labels, ContainerState State);

/// <summary>An image as a list has it.</summary>
/// <param name="Tags">As in <c>registry/name:tag</c>; Docker Hub's without the registry.</param>
/// <param name="Digests">As in <c>registry/name@sha256:…</c>.</param>
/// <param name="SizeBytes">With layers that it shares with others.</param>
public sealed record ListedImage(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, long SizeBytes);

/// <summary>A named volume.</summary>
public sealed record ListedVolume(string Name, IReadOnlyDictionary<string, string> Labels);

/// <summary>Something happened to a container.</summary>
/// <param name="Action">Docker's word: start, die, destroy, oom, pause, unpause, update.</param>
/// <param name="ExitCode">Of a <c>die</c>.</param>
/// <param name="At">By the engine's clock.</param>
public sealed record EngineEvent(
    string Action, string ContainerId, IReadOnlyDictionary<string, string> Attributes, long? ExitCode, DateTimeOffset At);

/// <summary>A user name and password, or a token, for one registry. Not a record: nothing may print it.</summary>
public sealed class RegistryCredentials(string server, string? user, string? password, string? identityToken)
{
    public string Server { get; } = server;

    internal string? User { get; } = user;

    internal string? Password { get; } = password;

    internal string? IdentityToken { get; } = identityToken;
}
