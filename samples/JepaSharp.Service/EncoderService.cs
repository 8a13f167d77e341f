using System.Threading.RateLimiting;

namespace JepaSharp.Service;

/// <summary>The service: an image in, its vector or its label out.</summary>
public static class EncoderService
{
    private const string Address = "http://127.0.0.1:5080", Limited = "limited";
    private const long MostBytes = 10L << 20;
    private const int MostWaiting = 64;

    /// <summary>Makes it, ready to run.</summary>
    /// <param name="args"><c>--model FILE.onnx</c>; <c>--urls</c> and whatever else ASP.NET Core takes.</param>
    /// <exception cref="ModelUnusableException">There is no such file, or it is no encoder of JepaSharp's.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        var path = builder.Configuration["model"] ?? throw new ModelUnusableException("Give the encoder: --model FILE.onnx (jepa export --to onnx).");
        if (builder.Configuration["urls"] is null) builder.WebHost.UseUrls(Address);
        var model = new EncoderModel(path);
        // One byte more than is taken, so that the answer is ours.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MostBytes + 1);
        builder.Services.AddSingleton(model);
        builder.Services.AddRateLimiter(limiter =>
        {
            // An image at a time for each core; some wait; the others are told to come again.
            limiter.AddPolicy(Limited, _ => RateLimitPartition.GetConcurrencyLimiter("", _ => new ConcurrencyLimiterOptions
            {
                PermitLimit = Environment.ProcessorCount,
                QueueLimit = MostWaiting,
            }));
            limiter.OnRejected = async (context, cancellation) =>
            {
                context.HttpContext.Response.Headers.RetryAfter = "1";
                await Refusal(503, "Too many images at a time; try again in a second.").ExecuteAsync(context.HttpContext).ConfigureAwait(false);
            };
        });
        var app = builder.Build();
        app.UseRateLimiter();
        app.MapGet("/", (EncoderModel model) => model.Description);
        app.MapPost("/embed", (HttpRequest request, EncoderModel model) => Answer(request, model, run => new Embedding(run.Features)))
            .RequireRateLimiting(Limited);
        app.MapPost("/classify", (HttpRequest request, EncoderModel model) => model.Classes is { } classes
            ? Answer(request, model, run => new Labels(classes.Zip(run.Probabilities!, (name, p) => new Label(name, p)).OrderByDescending(
                label => label.Probability).ToArray()))
            : Task.FromResult(Refusal(404, "This model has no head: it gives vectors, at /embed."))).RequireRateLimiting(Limited);
        return app;
    }

    private static async Task<IResult> Answer<T>(HttpRequest request, EncoderModel model, Func<EncoderRun, T> answer)
    {
        try
        {
            var bytes = await UploadedImage.ReadAsync(request, MostBytes).ConfigureAwait(false);
            return Results.Json(answer(model.Run(UploadedImage.Decode(bytes))));
        }
        catch (UploadRefusedException refused)
        {
            return Refusal(refused.Status, refused.Message);
        }
        catch (BadHttpRequestException refused)
        {
            return Refusal(refused.StatusCode, refused.StatusCode == 413 ? UploadedImage.TooLarge(MostBytes) : "The request was cut short.");
        }
    }

    private static IResult Refusal(int status, string sentence) => Results.Json(new { error = sentence }, statusCode: status);

    private sealed record Embedding(float[] Features);

    private sealed record Label(string Class, float Probability);

    private sealed record Labels(Label[] Classes);
}
