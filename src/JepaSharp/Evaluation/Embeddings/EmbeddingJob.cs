using System.Diagnostics;
using JepaSharp.Data;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings.Writers;
using JepaSharp.Evaluation.Features;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>What a job came to.</summary>
/// <param name="Finished">Whether the output is whole; otherwise the same job asked for again goes on.</param>
/// <param name="Images">Rows written, those of earlier runs of the job included.</param>
/// <param name="Shape">Shape of the output: [n, D], or [n, N, D].</param>
/// <param name="Unreadable">Images that this run left out because they cannot be read.</param>
public sealed record EmbeddingResult(bool Finished, long Images, IReadOnlyList<long> Shape, IReadOnlyList<ImageUnreadableException> Unreadable);

/// <summary>Embeds the images of a source into a file, in their order, batch after batch. An image that cannot be read is left out.</summary>
/// <remarks>
/// What is written goes to unfinished files beside the output, which get their names when all is done. How far it has come is noted every half minute
/// and when it is stopped, so that the same job asked for again goes on from there, whatever ended it.
/// </remarks>
public sealed class EmbeddingJob : IDisposable
{
    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(30);

    private readonly EmbeddingRequest _request;
    private readonly EmbeddingPaths _paths;
    private readonly EmbeddingLayout _layout;
    private readonly Dictionary<string, string> _parameters;
    private readonly EmbeddingState? _earlier;
    private readonly OutputLock _claim;
    private readonly Collective _ranks;

    /// <summary>Prepares a job, and looks for an earlier run of it.</summary>
    /// <param name="request">What is embedded and how.</param>
    /// <param name="paths">Where to.</param>
    /// <param name="claim">From <see cref="EmbeddingPaths.Claim"/>, where it was made before; the job lets it go.</param>
    /// <param name="ranks">The processes that share the images, of which this is the first; the others: <see cref="Follow"/>. Null for one
    /// alone.</param>
    /// <exception cref="JepaException">
    /// The image size does not fit the encoder, another process is at it, or an unfinished job at the same place asked for something else.
    /// </exception>
    public EmbeddingJob(EmbeddingRequest request, EmbeddingPaths paths, OutputLock? claim = null, Collective? ranks = null)
    {
        (_request, _paths, _ranks) = (request, paths, ranks ?? Collective.Alone);
        var (patch, depth) = (request.Encoder.Shape.PatchSize, request.Encoder.Shape.Depth);
        if (request.Transform.Size % patch != 0)
            throw new JepaException(
                $"Images of {request.Transform.Size} pixels are not a whole number of {patch}-pixel patches. Give a multiple of {patch}.",
                isUsage: true);
        if (request.Output.Layers > depth)
            throw new JepaException($"The encoder has {depth} blocks, fewer than the {request.Output.Layers} asked for.", isUsage: true);
        _layout = EmbeddingLayout.Of(request.Encoder, request.Output, request.Transform.Size);
        _parameters = request.Parameters();
        _claim = claim ?? paths.Claim();
        try
        {
            _earlier = EmbeddingState.Read(paths, _parameters);
        }
        catch
        {
            _claim.Dispose();
            throw;
        }
    }

    /// <summary>Images that an earlier run has dealt with; 0 for a new job.</summary>
    public int AlreadyDone => _earlier?.NextImage ?? 0;

    /// <summary>Lets others write the output.</summary>
    public void Dispose() => _claim.Dispose();

    /// <summary>Does the work, or what is left of it, once; afterwards others may write the output.</summary>
    /// <param name="progress">Is told how many images of the source are done, earlier ones included.</param>
    /// <param name="stop">Stops after the batch at hand; the job can go on later.</param>
    /// <exception cref="JepaException">Too many images cannot be read, or the file cannot be written.</exception>
    public EmbeddingResult Run(IProgress<int>? progress = null, CancellationToken stop = default)
    {
        using var claim = _claim;
        var source = _request.Source;
        var (next, rows) = (AlreadyDone, _earlier?.Rows ?? 0);
        var facts = _parameters.Where(pair => pair.Key != EmbeddingRequest.ImageFiles).ToDictionary();
        var pass = PassOf(_ranks, _request);
        _ = _ranks.Share(BitConverter.GetBytes(next));
        using (var writer = EmbeddingWriter.Open(_paths.Partial, _paths.Format, _layout, source.Count, facts, _earlier?.Bytes ?? 0))
        using (var index = _paths.Index is null ? null : new IndexCsv(_paths.PartialIndex, _earlier?.IndexBytes ?? 0, rows))
        {
            void Note() => new EmbeddingState(_parameters, next, rows, writer.Flush(), index?.Flush() ?? 0).Write(_paths.State);
            var noted = Stopwatch.StartNew();
            foreach (var batch in pass.Over(next, images => [Embed(_request, images)], stop))
            {
                EmbeddedImage[] images = [.. batch.Indices.Select(i => EmbeddedImage.Of(source, i))];
                writer.Write(batch.Values[0], images);
                index?.Write(images);
                (next, rows) = (batch.Indices[^1] + 1, rows + batch.Indices.Length);
                progress?.Report(next);
                if (noted.Elapsed < NoteEvery) continue;
                Note();
                noted.Restart();
            }

            if (pass.IsStopped && next < source.Count)
            {
                Note();
                return new EmbeddingResult(false, rows, _layout.ShapeOf(rows), pass.Unreadable);
            }

            index?.Flush();
            writer.Finish(rows);
        }

        _paths.Finish();
        return new EmbeddingResult(true, rows, _layout.ShapeOf(rows), pass.Unreadable);
    }

    /// <summary>Works on a job's images beside the first rank, which writes.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="request">The same as the first's.</param>
    /// <param name="stop">Stops all after the batches at hand.</param>
    /// <exception cref="JepaException">Too many images cannot be read, or another rank could not go on.</exception>
    public static void Follow(Collective ranks, EmbeddingRequest request, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentNullException.ThrowIfNull(request);
        var pass = PassOf(ranks, request);
        var next = BitConverter.ToInt32(ranks.Share((byte[]?)null));
        foreach (var _ in pass.Over(next, images => [Embed(request, images)], stop))
        {
            // They are the first's.
        }
    }

    private static SharedPass PassOf(Collective ranks, EmbeddingRequest request)
    {
        SharedPass.RequireAlike(ranks, request.Source);
        return new SharedPass(ranks, request.Source, request.Transform, request.BatchSize);
    }

    private static float[] Embed(EmbeddingRequest request, ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        return request.Output.Of(request.Encoder, request.Scaling.ToImages(batch)).cpu().contiguous().data<float>().ToArray();
    }
}

/// <summary>What is carried along with an image's embedding.</summary>
/// <param name="Name">The image's name in its source.</param>
/// <param name="Label">Index of its class; null without labels.</param>
/// <param name="Class">Name of its class; null without labels.</param>
internal readonly record struct EmbeddedImage(string Name, int? Label, string? Class)
{
    public static EmbeddedImage Of(ImageSource source, int index)
    {
        var label = source.LabelOf(index);
        return new EmbeddedImage(source.NameOf(index), label, label is { } l ? source.Classes[l] : null);
    }
}

/// <summary>The shape of one image's embedding.</summary>
/// <param name="Patches">N where each patch is kept; null for the average over them.</param>
/// <param name="Width">Numbers of one vector.</param>
internal sealed record EmbeddingLayout(int? Patches, int Width)
{
    /// <summary>Of square images of a size.</summary>
    public static EmbeddingLayout Of(VisionTransformer encoder, EncoderOutput output, int size)
    {
        var side = size / encoder.Shape.PatchSize;
        return new EmbeddingLayout(output.Pooled ? null : side * side, output.WidthOf(encoder));
    }

    /// <summary>Vectors of one image.</summary>
    public int Vectors => Patches ?? 1;

    /// <summary>Numbers of one image.</summary>
    public int Numbers => Vectors * Width;

    /// <summary>Shape of so many images' embeddings.</summary>
    public long[] ShapeOf(long images) => Patches is { } patches ? [images, patches, Width] : [images, Width];
}
