using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Plain;

/// <summary>
/// The short way to a replica, for requests that are nothing but a request and its answer in HTTP/1.1: straight from the server's buffers
/// to a socket and back. What <see cref="Serves"/> leaves out goes by the forwarder of YARP, with the same outcome where both can.
/// </summary>
internal sealed class PlainForwarder(ProxyOptions options, TimeProvider time)
{
    /// <summary>Bytes of an answer that may wait for the rest of it before they are sent on.</summary>
    private const int FlushAt = 32 * 1024;

    private readonly RequestHead _head = new(options);

    /// <summary>
    /// Whether a request goes this way. Not: other protocols than HTTP/1.1 at the replica, connections that are one client's alone, upgrades, and
    /// requests with a body.
    /// </summary>
    public static bool Serves(HttpContext context, AppPolicy policy)
    {
        var request = context.Request;
        return policy.IsPlain && request.Headers.Upgrade.Count == 0 && request.Headers.Expect.Count == 0 && !HttpMethods.IsConnect(request.Method)
            && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };
    }

    /// <summary>One try, until the answer has ended.</summary>
    /// <param name="mayRepeat">It may be sent a second time: on another connection if a kept one turns out closed.</param>
    /// <param name="ended">Its time is over.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TryResult> SendAsync(
        ProxyContext request, ReplicaEndpoint endpoint, KeptConnections connections, AppPolicy policy, bool mayRepeat, CancellationToken ended)
    {
        var context = request.Http;
        var kept = connections.Take();
        if (kept is not null)
        {
            var result = await ExchangeAsync(request, endpoint, connections, kept, policy, mayRepeat, ended);
            if (!result.IsStale || !mayRepeat)
            {
                return result;
            }
        }

        ReplicaConnection opened;
        try
        {
            opened = await OpenAsync(connections, context.RequestAborted, ended);
        }
        catch (SocketException failure)
        {
            return new(ForwarderError.Request, new HttpRequestException(HttpRequestError.ConnectionError, "no connection to the replica", failure));
        }
        catch (OperationCanceledException failure)
        {
            return new(ForwarderError.RequestCanceled, failure);
        }

        return await ExchangeAsync(request, endpoint, connections, opened, policy, mayRepeat, ended);
    }

    private static async ValueTask<ReplicaConnection> OpenAsync(KeptConnections connections, CancellationToken clientGone, CancellationToken ended)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clientGone, ended);
        return await connections.OpenAsync(either.Token);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TryResult> ExchangeAsync(
        ProxyContext request, ReplicaEndpoint endpoint, KeptConnections connections, ReplicaConnection connection, AppPolicy policy, bool mayRepeat, CancellationToken ended)
    {
        var (context, edits) = (request.Http, policy.Rules?.Edits);
        (connection.MayRepeat, connection.IdleLimit) = (mayRepeat, policy.IdleTimeout ?? options.IdleTimeout);
        var (isGood, hasHead) = (false, false);
        using var clientGone = context.RequestAborted.UnsafeRegister(static one => ((ReplicaConnection)one!).GiveUp(GivenUp.ByCaller), connection);
        using var late = ended.UnsafeRegister(static one => ((ReplicaConnection)one!).GiveUp(GivenUp.ByCaller), connection);
        try
        {
            connection.Head.Clear();
            _head.Write(connection.Head, context, endpoint, edits);
            await connection.SendAsync(connection.Head.Written);

            var head = await ReadHeadAsync(context, connection);
            hasHead = true;
            request.Answer(time.GetTimestamp());
            policy.Sticky?.Set(context, request.App!.Uid, endpoint);
            edits?.ChangeAnswer(context.Response.Headers);
            await CopyBodyAsync(context, connection, new AnswerBody(head.Body, head.Length));
            isGood = head.KeepsConnection && connection.Unread.IsEmpty;
            return new(ForwarderError.None, null);
        }
        catch (ClientGoneException failure)
        {
            return Fail(context, ForwarderError.ResponseBodyClient, failure);
        }
        catch (Exception failure)
        {
            var isStale = connection.HasServed && !hasHead && connection.Unread.IsEmpty && connection.GivenUp == GivenUp.Not;
            var error = ErrorOf(connection.GivenUp, failure, hasHead);
            if (hasHead && context.Response.HasStarted && connection.GivenUp == GivenUp.Not)
            {
                // The client gets what came until then.
                await context.Response.BodyWriter.FlushAsync(CancellationToken.None);
            }

            return Fail(context, error, failure) with { IsStale = isStale };
        }
        finally
        {
            if (isGood)
            {
                clientGone.Dispose();
                late.Dispose();
                connections.Keep(connection);
            }
            else
            {
                connections.Drop(connection);
            }
        }
    }

    private async ValueTask<AnswerHead> ReadHeadAsync(HttpContext context, ReplicaConnection connection)
    {
        var searched = 0;
        while (true)
        {
            var unread = connection.Unread;
            if (AnswerHead.EndIn(unread.Span, searched) is > 0 and <= AnswerHead.Longest and var length)
            {
                var head = AnswerHead.Read(unread.Span[..length], context, connection.Texts, options.RequestIds);
                connection.Use(length);
                searched = 0;
                if (head.Status >= StatusCodes.Status200OK)
                {
                    return head;
                }

                continue;
            }

            AnswerHead.ThrowIfNone(unread.Span);
            searched = unread.Length;
            var received = await connection.ReceiveAsync();
            connection.Received(received > 0 ? received : throw new IOException("the replica closed the connection before it had answered"));
        }
    }

    /// <summary>What has come goes on as soon as there is no more to be had at once; the head too, if nothing of the body is there yet.</summary>
    private static async ValueTask CopyBodyAsync(HttpContext context, ReplicaConnection connection, AnswerBody body)
    {
        var response = context.Response;
        var (unflushed, hasFlushed) = (0, false);
        while (!body.IsEnded)
        {
            var piece = body.Read(connection.Unread.Span);
            if (piece.IsTrailer)
            {
                AnswerHead.AddTrailer(context, connection.Unread.Span.Slice(piece.Start, piece.Length));
            }
            else if (piece.Length > 0)
            {
                if (!response.HasStarted)
                {
                    connection.HasAnswered = true;
                    await response.StartAsync();
                }

                response.BodyWriter.Write(connection.Unread.Span.Slice(piece.Start, piece.Length));
                unflushed += piece.Length;
            }

            connection.Use(piece.Used);
            if (piece.Length > 0 || body.IsEnded)
            {
                continue;
            }

            var receiving = connection.ReceiveAsync();
            if (!receiving.IsCompleted || unflushed >= FlushAt)
            {
                await FlushAsync(response, connection);
                (unflushed, hasFlushed) = (0, true);
            }

            var received = await receiving;
            if (received == 0 && body.MayEndWithConnection)
            {
                break;
            }

            connection.Received(received > 0 ? received : throw new IOException("the replica closed the connection before its answer was whole"));
        }

        // The server does it itself at an answer's end, with the head, if it has not sent that before.
        if (hasFlushed && unflushed > 0)
        {
            await FlushAsync(response, connection);
        }
    }

    private static async ValueTask FlushAsync(HttpResponse response, ReplicaConnection connection)
    {
        connection.HasAnswered = true;
        if (await response.BodyWriter.FlushAsync(connection.Ended) is { IsCompleted: true } or { IsCanceled: true })
        {
            throw new ClientGoneException();
        }

        connection.Activity++;
    }

    private static ForwarderError ErrorOf(GivenUp givenUp, Exception failure, bool hasHead) => givenUp switch
    {
        GivenUp.Idle => hasHead ? ForwarderError.ResponseBodyCanceled : ForwarderError.RequestTimedOut,
        GivenUp.ByCaller => hasHead ? ForwarderError.ResponseBodyCanceled : ForwarderError.RequestCanceled,
        GivenUp.Not when hasHead => ForwarderError.ResponseBodyDestination,

        // Thrown by the server for a field that it cannot write.
        GivenUp.Not when failure is InvalidOperationException and not ObjectDisposedException => ForwarderError.ResponseHeaders,
        GivenUp.Not or _ => ForwarderError.Request,
    };

    /// <summary>An answer that has begun cannot be taken back: the client is to see that it is not whole.</summary>
    private static TryResult Fail(HttpContext context, ForwarderError error, Exception failure)
    {
        if (context.Response.HasStarted)
        {
            if (context.Features.Get<IHttpResetFeature>() is { } stream)
            {
                const int internalError = 2;
                const int cancel = 8;
                stream.Reset(error == ForwarderError.ResponseBodyCanceled ? cancel : internalError);
            }
            else
            {
                context.Abort();
            }
        }

        return new(error, failure);
    }

    private sealed class ClientGoneException() : IOException("the client has gone");
}
