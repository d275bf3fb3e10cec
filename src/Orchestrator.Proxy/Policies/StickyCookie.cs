using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Policies;

/// <summary>
/// The cookie that brings a client back to its replica. Its value is a keyed hash of the replica's uid, by the app's own uid, which no
/// client gets to see: nobody can make one up, it tells nothing, and every proxy makes the same without a secret to share.
/// </summary>
internal sealed class StickyCookie(Stickiness stickiness, string path)
{
    private readonly string _name = stickiness.CookieName ?? Stickiness.DefaultCookieName;

    /// <returns>Null: the request has none, or none of these endpoints is meant by it.</returns>
    public ReplicaEndpoint? Find(HttpContext context, string appUid, ReadOnlySpan<ReplicaEndpoint> endpoints)
    {
        if (context.Request.Cookies[_name] is { Length: > 0 } value)
        {
            foreach (var endpoint in endpoints)
            {
                if (endpoint.StickyValue(appUid) == value)
                {
                    return endpoint;
                }
            }
        }

        return null;
    }

    /// <summary>Has the client come back to the endpoint that answers, unless it says so already.</summary>
    public void Set(HttpContext context, string appUid, ReplicaEndpoint endpoint)
    {
        var value = endpoint.StickyValue(appUid);
        if (context.Request.Cookies[_name] != value)
        {
            var cookie = new SetCookieHeaderValue(_name, value)
            {
                Path = path,
                HttpOnly = true,
                SameSite = Microsoft.Net.Http.Headers.SameSiteMode.Lax,
                Secure = context.Request.IsHttps,
                MaxAge = stickiness.MaxAgeSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            };
            context.Response.Headers.Append(HeaderNames.SetCookie, cookie.ToString());
        }
    }

    public static string ValueOf(string appUid, string replicaUid) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(appUid), Encoding.UTF8.GetBytes(replicaUid)).AsSpan(0, 16));
}
