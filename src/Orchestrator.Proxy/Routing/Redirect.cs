using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>An answer that sends the client elsewhere. Immutable.</summary>
internal sealed class Redirect(RouteRedirect redirect)
{
    private readonly PathPrefix _path = new(redirect.Path, redirect.PathType == PathTypes.Exact);
    private readonly string _to = redirect.To;
    private readonly int _status = redirect.Status ?? RouteRedirect.DefaultStatus;

    public Task AnswerAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = _status;
        response.Headers.Location = LocationFor(
            context.Request.Path, context.Request.QueryString, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        response.ContentLength = 0;
        return response.StartAsync(context.RequestAborted);
    }

    internal string LocationFor(PathString path, QueryString query, string rawTarget)
    {
        var location = _path.Replace(path, rawTarget, _to);

        // "//name" would be another host, of the client's choice.
        return (_to[0] == '/' ? "/" + location.TrimStart('/') : location) + query.Value;
    }
}
