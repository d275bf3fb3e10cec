using System.Net;
using k8s;
using k8s.Autorest;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Cli.Serving;

/// <summary>Whether a cluster can be worked on. Installs nothing: a cluster's kinds are its administrator's to choose.</summary>
internal static class ClusterCheck
{
    /// <exception cref="CommandException">It cannot; says what to do.</exception>
    public static async Task RunAsync(Kubernetes kubernetes, CancellationToken cancellationToken)
    {
        string[] wanted = [WebApp.Plural, Replica.Plural, DockerHost.Plural];
        try
        {
            var served = await kubernetes.CustomObjects.GetAPIResourcesAsync(ApiGroup.Name, ApiGroup.Version, cancellationToken);
            var missing = wanted.Except(served.Resources.Select(resource => resource.Name)).ToList();
            if (missing.Count > 0)
            {
                throw Missing(kubernetes, missing);
            }
        }
        catch (HttpOperationException failure) when (failure.Response.StatusCode == HttpStatusCode.NotFound)
        {
            throw Missing(kubernetes, wanted);
        }
        catch (HttpOperationException failure) when (failure.Response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new CommandException(ExitCodes.Unreachable, $"the API server at {kubernetes.BaseUri} does not let us in: {(int)failure.Response.StatusCode} {failure.Response.StatusCode}", failure);
        }
        catch (HttpRequestException failure)
        {
            throw new CommandException(ExitCodes.Unreachable, $"cannot reach the API server at {kubernetes.BaseUri}: {Failures.Reason(failure)}", failure);
        }
    }

    private static CommandException Missing(Kubernetes kubernetes, IEnumerable<string> kinds) => CommandException.Failed(
        $"the API server at {kubernetes.BaseUri} has no {string.Join(", ", kinds)} in {ApiGroup.GroupVersion}: install them with `kubectl apply -f crds/` (or the chart), then start again");
}
