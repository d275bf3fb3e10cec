using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tls;

/// <summary>
/// What an app's <see cref="RouteTls"/> asks of each request: plain ones are sent to https, clients must show a certificate that the app
/// accepts. Decided by request and not in the handshake: a handshake knows the host it was made for, a request may be for another one.
/// </summary>
/// <param name="httpsPortOf">By a listener's port in the routes: where plain requests are sent to; null: nowhere.</param>
internal sealed class TlsGate(TlsDirectory directory, Func<int, int?> httpsPortOf, TimeProvider time)
{
    private const int DefaultHttpsPort = 443;

    /// <returns>The answer; null: the request goes on.</returns>
    public Task? Stop(HttpContext http, AppState app, RouteTls tls, int port)
    {
        if (!http.Request.IsHttps)
        {
            return tls.Redirects && httpsPortOf(port) is { } to ? Redirect(http, app, to)
                : tls.ClientAuth is { IsRequired: true } ? ErrorResponse.WriteAsync(http, ProxyError.TlsRequired, app.Key)
                : null;
        }

        if (tls.Hsts is { } hsts)
        {
            // Last of all: it is for every answer, the proxy's own among them, and stands for whatever the app says of it.
            http.Response.OnStarting(
                static state =>
                {
                    var (response, value) = ((HttpResponse, StrictTransport))state;
                    response.Headers.StrictTransportSecurity = value.ToString();
                    return Task.CompletedTask;
                },
                (http.Response, hsts));
        }

        return tls.ClientAuth is { } auth && Refusal(http, app, auth) is { } error
            ? ErrorResponse.WriteAsync(http, error, app.Key, endsConnection: error == ProxyError.Misdirected)
            : null;
    }

    /// <summary>Whether a connection that is all of the app's may go on: it has no requests to be asked for one by one.</summary>
    public bool Admits(AppState app, TlsConnection tls) =>
        app.Tls?.ClientAuth is not { } auth
        || (directory.Certificates.Apps.GetValueOrDefault(app.Key)?.Authorities is { } authorities
            && (tls.ClientCertificate is null ? !auth.IsRequired : tls.IsFrom(authorities, time.GetUtcNow())));

    private ProxyError? Refusal(HttpContext http, AppState app, ClientAuthentication auth)
    {
        if (http.Features.Get<TlsConnection>() is not { HasAsked: true } connection)
        {
            // Made for a host that asks for none, or before this one did.
            return ProxyError.Misdirected;
        }

        ProxyError? error;
        if (directory.Certificates.Apps.GetValueOrDefault(app.Key)?.Authorities is not { } authorities)
        {
            return ProxyError.ClientAuthoritiesUnknown;
        }
        else if (connection.ClientCertificate is null)
        {
            error = auth.IsRequired ? ProxyError.ClientCertificateRequired : null;
        }
        else if (!connection.IsFrom(authorities, time.GetUtcNow()))
        {
            error = ProxyError.ClientCertificateInvalid;
        }
        else
        {
            http.Features.Set(new VerifiedClient(connection.ClientCertificateField!));
            return null;
        }

        // What was shown, or not, to one host says nothing about what would be shown to another.
        return error is not null && !IsMadeFor(connection, http.Request.Host.Value) ? ProxyError.Misdirected : error;
    }

    private static bool IsMadeFor(TlsConnection connection, string? host) =>
        RouteTable.NameOf(host).Equals(connection.ServerName.AsSpan().TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    private static Task Redirect(HttpContext http, AppState app, int port)
    {
        var request = http.Request;
        if (RouteTable.NameOf(request.Host.Value) is not { Length: > 0 } host)
        {
            // HTTP/1.0 has no host to be sent to.
            return ErrorResponse.WriteAsync(http, ProxyError.TlsRequired, app.Key);
        }

        var raw = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var target = raw.StartsWith('/') ? raw : request.GetEncodedPathAndQuery();
        var authority = port == DefaultHttpsPort ? host.ToString() : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        http.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        http.Response.Headers.Location = $"https://{authority}{target}";
        http.Response.ContentLength = 0;
        return http.Response.StartAsync(http.RequestAborted);
    }
}
