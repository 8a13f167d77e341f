using System.Diagnostics;
using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings.Writers;
using JepaSharp.Models;
using JepaSharp.Runtime;
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

    /// <summary>Prepares a job, and looks for an earlier run of it.</summary>
    /// <param name="request">What is embedded and how.</param>
    /// <param name="paths">Where to.</param>
    /// <param name="claim">From <see cref="EmbeddingPaths.Claim"/>, where it was made before; the job lets it go.</param>
    /// <exception cref="JepaException">
    /// The image size does not fit the encoder, another process is at it, or an unfinished job at the same place asked for something else.
    /// </exception>
    public EmbeddingJob(EmbeddingRequest request, EmbeddingPaths paths, OutputLock? claim = null)
    {
        (_request, _paths) = (request, paths);
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
        var reader = new ImageReader(source, _request.Transform, _request.BatchSize);
        using (var writer = EmbeddingWriter.Open(_paths.Partial, _paths.Format, _layout, source.Count, facts, _earlier?.Bytes ?? 0))
        using (var index = _paths.Index is null ? null : new IndexCsv(_paths.PartialIndex, _earlier?.IndexBytes ?? 0, rows))
        {
            void Note() => new EmbeddingState(_parameters, next, rows, writer.Flush(), index?.Flush() ?? 0).Write(_paths.State);
            var noted = Stopwatch.StartNew();
            foreach (var batch in reader.Read(Enumerable.Range(next, source.Count - next).ToArray(), CancellationToken.None))
            {
                EmbeddedImage[] images = [.. batch.Indices.Take(batch.Count).Select(i => EmbeddedImage.Of(source, i))];
                writer.Write(Embed(batch), images);
                index?.Write(images);
                (next, rows) = (batch.Indices[batch.Count - 1] + 1, rows + batch.Count);
                progress?.Report(next);
                if (stop.IsCancellationRequested && next < source.Count)
                {
                    Note();
                    return new EmbeddingResult(false, rows, _layout.ShapeOf(rows), reader.Unreadable);
                }

                if (noted.Elapsed < NoteEvery) continue;
                Note();
                noted.Restart();
            }

            index?.Flush();
            writer.Finish(rows);
        }

        _paths.Finish();
        return new EmbeddingResult(true, rows, _layout.ShapeOf(rows), reader.Unreadable);
    }

    private float[] Embed(ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        return _request.Output.Of(_request.Encoder, _request.Scaling.ToImages(batch)).cpu().contiguous().data<float>().ToArray();
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

/// <summary>Which of an encoder's representations are taken of an image.</summary>
/// <param name="Layers">How many blocks from the last: 1 is the encoder's output; more are put side by side, the last one last.</param>
/// <param name="Pooled">The average over the patches, or the class token where there is one; else each patch by itself.</param>
/// <remarks>Paper, appendix A.2: average-pooled patches of the last layer, or of the last four side by side.</remarks>
public sealed record EncoderOutput(int Layers = 1, bool Pooled = true)
{
    /// <summary>With <see cref="Pooled"/>: the average over the patches even where there is a class token.</summary>
    public bool AveragesPatches { get; init; }

    /// <summary>Whether the last block's representations are taken as they are, without the final norm: MSN's published evaluation does so with class
    /// tokens.</summary>
    public bool IsUnnormed { get; init; }

    /// <summary>With <see cref="Pooled"/>: the class token even where patches are averaged as published
    /// (<see cref="VisionTransformerShape.AveragesBeforeNorm"/>).</summary>
    public bool TakesClassToken { get; init; }

    /// <summary>With <see cref="Pooled"/>: the class token and the average over the patches together.</summary>
    public ClassAndMean Together { get; init; }

    /// <summary>Whether the outputs of blocks before the last go through the encoder's final norm too, as DINO and iBOT take those of the last
    /// four.</summary>
    public bool NormsEach { get; init; }

    /// <summary>Numbers of one vector: <see cref="Layers"/> times the encoder's width, twice that of a class token and an average together.</summary>
    public int WidthOf(VisionTransformer encoder) => Layers * encoder.Shape.Width * (Pooled && Together != ClassAndMean.Apart ? 2 : 1);

    /// <summary>Images [B, C, H, W], normalised -> float32 [B, L D], or [B, N, L D] where patches are kept apart.</summary>
    /// <exception cref="ArgumentException">The encoder has fewer blocks, or the images' sides are not multiples of the patch size.</exception>
    public Tensor Of(VisionTransformer encoder, Tensor images)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        if (Pooled && encoder.Shape.AveragesBeforeNorm && !TakesClassToken && Together == ClassAndMean.Apart)
        {
            // The mean of the patches of each of the last blocks, then a norm without parameters: the final norm is left out.
            int[] last = [.. Enumerable.Range(encoder.Shape.Depth - Layers, Layers)];
            var means = encoder.BlockOutputs(images, last).Select(t => EncodedTokens.Patches(t, encoder.Shape).to(float32).mean([1L]));
            return cat([.. means.Select(m => nn.functional.layer_norm(m, [encoder.Shape.Width], eps: LayerNormalization.Epsilon))], dim: -1)
                .MoveToOuterDisposeScope();
        }

        var tokens = Layers == 1 && !IsUnnormed ? encoder.forward(images) : cat([.. LastOf(encoder, images)], dim: -1);
        tokens = tokens.to(float32);
        if (Pooled && Together != ClassAndMean.Apart)
        {
            var (token, mean) = (tokens.select(1, 0), EncodedTokens.Patches(tokens, encoder.Shape).mean([1L]));
            return (Together == ClassAndMean.Interleaved ? stack([token, mean], dim: -1).flatten(1) : cat([token, mean], dim: -1))
                .MoveToOuterDisposeScope();
        }

        if (Pooled && !AveragesPatches && encoder.Shape.ClassToken) return tokens.select(1, 0).MoveToOuterDisposeScope();
        var patches = EncodedTokens.Patches(tokens, encoder.Shape);
        return (Pooled ? patches.mean([1L]) : patches).MoveToOuterDisposeScope();
    }

    /// <summary>What stands for an image, in words: "class token" or "patches averaged"; null where there is no choice.</summary>
    /// <param name="encoder">The encoder's shape.</param>
    public string? PoolingOf(VisionTransformerShape encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        if (!encoder.ClassToken || !Pooled) return null;
        if (encoder.AveragesBeforeNorm && Together == ClassAndMean.Apart && !TakesClassToken) return "patches averaged before the final norm";
        var normed = IsUnnormed ? " before the last norm" : NormsEach && Layers > 1 ? ", each normed" : "";
        return (Together, AveragesPatches) switch
        {
            (ClassAndMean.SideBySide, _) => "class token, then patches averaged",
            (ClassAndMean.Interleaved, _) => "class token and patches averaged, number by number",
            (_, true) => "patches averaged",
            _ => "class token",
        } + normed;
    }

    /// <summary>Of the last blocks, the last with the final norm unless it is to be left out.</summary>
    private IReadOnlyList<Tensor> LastOf(VisionTransformer encoder, Tensor images) => IsUnnormed
        ? encoder.BlockOutputs(images, [.. Enumerable.Range(encoder.Shape.Depth - Layers, Layers)])
        : encoder.LastBlocks(images, Layers, NormsEach);
}

/// <summary>How a class token c and the average m of the patches make one vector.</summary>
public enum ClassAndMean
{
    /// <summary>They do not: one of them stands for the image.</summary>
    Apart,

    /// <summary>c₀ c₁ ... m₀ m₁ ..., as iBOT's published linear weights are made for.</summary>
    SideBySide,

    /// <summary>c₀ m₀ c₁ m₁ ..., as DINO's published linear weights for ViT-B are made for.</summary>
    Interleaved,
}
