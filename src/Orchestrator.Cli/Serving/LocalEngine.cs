using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// A server that was told of no host takes the engine of its own machine, if there is one, so that the first apply works. Once:
/// who removes that host later does not get it back.
/// </summary>
internal sealed partial class LocalEngine(SharedInformers informers, string dataFolder, ILogger logger)
{
    public const string HostName = "local";
    public const string Socket = "/var/run/docker.sock";

    private string Marker => Path.Combine(dataFolder, "local-host-offered");

    /// <returns>Whether the host was made now.</returns>
    public async Task<bool> OfferAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(Marker) || !File.Exists(Socket))
        {
            return false;
        }

        await informers.Hosts.WaitForSyncAsync(cancellationToken);
        var made = false;
        if (informers.Hosts.Items.Count == 0)
        {
            var host = new DockerHost { Metadata = new V1ObjectMeta { Name = HostName }, Spec = new DockerHostSpec { Endpoint = "unix://" + Socket } };
            try
            {
                await informers.HostClient.CreateAsync(host, cancellationToken);
                made = true;
                Log.Offered(logger, Socket, HostName);
            }
            catch (AlreadyExistsException)
            {
                // Somebody was faster, and meant it.
            }
        }

        await File.WriteAllTextAsync(Marker, "", cancellationToken);
        return made;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "No hosts yet: the engine of this machine, {Socket}, is now host {Host}; `orc hosts remove` takes it out")]
        public static partial void Offered(ILogger logger, string socket, string host);
    }
}
