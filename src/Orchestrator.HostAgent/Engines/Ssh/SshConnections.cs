using System.Text;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// The connections of one session with an engine, through ssh. The first logs in, the others are channels of it, for as long as one is
/// open; a new session begins with a new login, so that nothing waits for a connection that is dead
/// (docs/design/host-agent.md, ssh).
/// </summary>
internal sealed class SshConnections(EngineEndpoint endpoint, SshIdentity? identity, string program, TimeProvider time) : IDisposable
{
    /// <summary>As found by PATH.</summary>
    public const string DefaultProgram = "ssh";

    /// <summary>Bytes of a unix socket's path (103 where it is shortest), less those that ssh appends while it makes it.</summary>
    private const int MaxControlPath = 103 - 17;

    private readonly Lock _gate = new();
    private SshFolder? _folder;
    private SshIdentityFiles? _files;
    private bool _disposed;

    /// <returns>A stream whose first read fails with an <see cref="EngineException"/> if there is no connection.</returns>
    /// <exception cref="EngineException">ssh cannot be started.</exception>
    public Stream Open()
    {
        var (controlPath, files) = Prepare();
        return new SshStream(endpoint, identity, SshProcesses.Of(endpoint).Start(program, SshArguments.For(endpoint, controlPath, files), time));
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _folder?.Dispose();
        }
    }

    private (string? ControlPath, SshIdentityFiles? Files) Prepare()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_folder is null)
            {
                _folder = new SshFolder();
                _files = identity?.WriteTo(_folder);
            }

            var path = Path.Combine(_folder.Path, "c");
            return (Encoding.UTF8.GetByteCount(path) <= MaxControlPath ? path : null, _files);
        }
    }
}
