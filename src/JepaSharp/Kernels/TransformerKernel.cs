using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

/// <summary>Shape of a stack of transformer blocks.</summary>
/// <param name="Width">D: a multiple of 16, as is the MLP's width.</param>
/// <param name="Heads">A, each D/A wide, of any width.</param>
/// <param name="Epsilon">Of the norms.</param>
internal readonly record struct StackShape(int Width, int Heads, float Epsilon);

/// <summary>A stack of pre-norm transformer blocks on the CPU: forward, and backward with gradients added to the parameters'.</summary>
internal interface ITransformerKernel : IDisposable
{
    /// <summary>Packs the weights as they are now.</summary>
    void Refresh();

    /// <summary>Forward without anything kept, through blocks <paramref name="first"/> to <paramref name="end"/> - 1 (null: the last). Tokens [S N,
    /// D] to wanted outputs.</summary>
    unsafe void Infer(SequenceLayout layout, float* input, float* output, int first = 0, int? end = null);

    /// <summary>Forward; keeps what backward needs, the input's memory included, until <see cref="Backward"/> or <see cref="Release"/>.</summary>
    /// <param name="layout">Sequences, and the tokens whose outputs are wanted.</param>
    /// <param name="input">Tokens [S N, D].</param>
    /// <param name="output">Wanted outputs.</param>
    /// <param name="factors">What branches are multiplied by; null for 1.</param>
    unsafe object Forward(SequenceLayout layout, float* input, float* output, BranchFactors? factors = null);

    /// <summary>Backward of one forward pass: gradient of the outputs (changed) to gradient of the inputs; parameters' gradients are added
    /// to.</summary>
    unsafe void Backward(object forward, float* outward, float* inward);

    /// <summary>Gives up a forward pass whose backward will not come.</summary>
    void Release(object forward);
}

/// <inheritdoc cref="ITransformerKernel"/>
internal sealed unsafe class TransformerKernel<T> : ITransformerKernel
    where T : struct, IElement
{
    private readonly StackShape _shape;
    private readonly WorkerThreads _threads;
    private readonly bool _checkpoint;
    private readonly BlockWeights<T>[] _blocks;
    private readonly WeightPanels<T> _weights;
    private readonly int _hidden;
    private readonly Stack<Pass> _idle = new();
    private readonly BlockPanels<T> _panels;
    private readonly AttentionBias _bias;

    /// <param name="shape">Width, heads, epsilon.</param>
    /// <param name="blocks">Parameters, block by block.</param>
    /// <param name="trained">Whether gradients are wanted.</param>
    /// <param name="keepPanels">Keep all weights packed, rather than pack each block before its turn.</param>
    /// <param name="threads">Who does the work.</param>
    /// <param name="checkpoint">Keep only each block's input and compute the rest again in the backward pass (Chen et al., 2016): less memory, a
    /// third more work.</param>
    /// <param name="bias">What is added to the scores of every block.</param>
    public TransformerKernel(
        StackShape shape, IReadOnlyList<BlockMemory> blocks, bool trained, bool keepPanels, WorkerThreads threads, bool checkpoint = false,
        AttentionBias bias = default)
    {
        (_shape, _threads, _checkpoint, _bias) = (shape, threads, checkpoint, bias);
        _blocks = [.. blocks.Select(b => new BlockWeights<T>(b))];
        _weights = new WeightPanels<T>(_blocks, trained, keepPanels, threads);
        _hidden = blocks[0].Expand.Outputs;
        _panels = new BlockPanels<T>(shape.Width, _hidden, bias.TableNumbers, threads.Turn.Tokens);
        Refresh();
    }

    public void Refresh() => _weights.Refresh();

    public void Infer(SequenceLayout layout, float* input, float* output, int first = 0, int? end = null)
    {
        lock (_threads.Turn) InferInTurn(layout, input, output, first, (end ?? _blocks.Length) - 1);
    }

    private void InferInTurn(SequenceLayout layout, float* input, float* output, int first, int last)
    {
        var whole = layout.Whole;
        var x = layout.Wanted is null ? output : _threads.Turn.Tokens.TakeFloats(layout.Rows * _shape.Width);
        for (var b = first; b <= last; b++)
        {
            var forward = new BlockForward<T>(_blocks[b], _shape.Width, _shape.Heads, _shape.Epsilon, _bias);
            float* from = b == first ? input : x, to = b == last ? output : x;
            var wanted = b == last ? layout : whole;
            _weights.BeforeForward(b);
            _threads.Run(layout.Groups, (group, scratch) => forward.Run(wanted, group, from, to, null, scratch));
        }
    }

    public object Forward(SequenceLayout layout, float* input, float* output, BranchFactors? factors = null)
    {
        var pass = _idle.Count > 0 ? _idle.Pop() : new Pass(_blocks.Length, _checkpoint);
        pass.Begin(layout, input, _shape.Width, factors);
        lock (_threads.Turn)
        {
            for (var b = 0; b < _blocks.Length; b++) Block(pass, b, b == _blocks.Length - 1 ? output : pass.Input(b + 1));
        }

        return pass;
    }

    public void Backward(object forward, float* outward, float* inward)
    {
        lock (_threads.Turn) BackwardInTurn((Pass)forward, outward, inward);
    }

    private void BackwardInTurn(Pass pass, float* outward, float* inward)
    {
        var last = _blocks.Length - 1;
        for (var b = last; b >= 0; b--)
        {
            var layout = pass.Layout(b, last);
            if (_checkpoint) Block(pass, b, pass.Output(layout, _shape.Width));
            _weights.BeforeBackward(b);
            _panels.Prepare(layout);
            var (kept, panels) = (pass.Activations(b), _panels);
            // Where some tokens alone were wanted, the gradient grows to all of them in the last block; from there on it is changed in place.
            var from = b == last ? outward : inward;
            var backward = new BlockBackward<T>(_blocks[b], _shape.Width, _shape.Heads, _bias);
            if (b == last && layout.Wanted is null && outward != inward) Copy(outward, inward, layout.Rows * _shape.Width);
            if (layout.Wanted is null) from = inward;
            var (factors, block) = (pass.Factors, b);
            _threads.Run(layout.Groups, (group, scratch) => backward.Run(layout, group, kept, from, inward, panels, scratch, factors, block));
            Gradients(_blocks[b].Memory, panels, layout.Groups);
            if (_bias.IsThere) _bias.Collect(panels.Tables, layout.Groups);
        }

        Release(pass);
    }

    public void Release(object forward) => _idle.Push((Pass)forward);

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.Dispose();
        foreach (var pass in _idle) pass.Dispose();
        _panels.Dispose();
    }

    private void Block(Pass pass, int block, float* output)
    {
        var layout = pass.Layout(block, _blocks.Length - 1);
        var kept = pass.Activations(block);
        kept.Prepare(layout, _shape.Width, _hidden, T.Size);
        var input = kept.Input = pass.Input(block);
        _weights.BeforeForward(block);
        var forward = new BlockForward<T>(_blocks[block], _shape.Width, _shape.Heads, _shape.Epsilon, _bias);
        var factors = pass.Factors;
        _threads.Run(layout.Groups, (group, scratch) => forward.Run(layout, group, input, output, kept, scratch, factors, block));
    }

    private void Gradients(BlockMemory block, BlockPanels<T> panels, int groups)
    {
        static WeightGradient<T> Of(DenseMemory dense, Pointer outward, Pointer inward, nint words) =>
            new(outward, dense.Outputs, inward, dense.Inputs, words, new FloatPointer(dense.Weight.Gradient), new FloatPointer(dense.Bias.Gradient));
        // The widest pieces first: what comes last should be small.
        var all = new[]
        {
            Of(block.Contract, panels.Outward, panels.Activated, panels.WantedWords),
            Of(block.QueryKeyValue, panels.Qkv, panels.AttentionInput, panels.AllWords),
            Of(block.Expand, panels.Hidden, panels.MlpInput, panels.WantedWords),
            Of(block.Projection, panels.Middle, panels.Attended, panels.WantedWords),
        };
        _threads.Run(all.Sum(g => g.Pieces), (item, scratch) =>
        {
            foreach (var gradient in all)
            {
                if (item < gradient.Pieces)
                {
                    gradient.Run(item, scratch);
                    return;
                }

                item -= gradient.Pieces;
            }
        });
        var width = _shape.Width;
        var targets = stackalloc float*[4] { block.AttentionNorm.Scale.Gradient, block.AttentionNorm.Shift.Gradient, block.MlpNorm.Scale.Gradient,
            block.MlpNorm.Shift.Gradient };
        for (var part = 0; part < 4; part++)
        {
            for (var i = 0; i < width; i += 16)
            {
                var sum = Vector512<float>.Zero;
                for (var g = 0; g < groups; g++) sum += Vector512.Load(panels.Norms + ((((nint)g * 4) + part) * width) + i);
                (Vector512.Load(targets[part] + i) + sum).Store(targets[part] + i);
            }
        }
    }

    private static void Copy(float* from, float* to, nint count) => Buffer.MemoryCopy(from, to, count * sizeof(float), count * sizeof(float));

    /// <summary>What one forward pass keeps.</summary>
    private sealed class Pass(int blocks, bool checkpoint) : IDisposable
    {
        private readonly BlockActivations[] _activations = [.. Enumerable.Range(0, checkpoint ? 1 : blocks).Select(_ => new BlockActivations())];
        private readonly NativeBuffer[] _inputs = [.. Enumerable.Range(1, blocks - 1).Select(_ => new NativeBuffer())];
        private readonly NativeBuffer _output = new();
        private SequenceLayout _layout = new(1, 1);
        private SequenceLayout _whole = new(1, 1);
        private float* _first;
        private int _width;

        public BranchFactors? Factors { get; private set; }

        public void Begin(SequenceLayout layout, float* input, int width, BranchFactors? factors)
        {
            (_layout, _whole, _width, Factors) = (layout, layout.Whole, width, factors);
            _first = input;
        }

        /// <summary>Every token counts until the last block.</summary>
        public SequenceLayout Layout(int block, int last) => block == last ? _layout : _whole;

        public BlockActivations Activations(int block) => _activations[checkpoint ? 0 : block];

        public float* Input(int block) => block == 0 ? _first : _inputs[block - 1].TakeFloats(_layout.Rows * _width);

        /// <summary>Somewhere to leave an output that was known already.</summary>
        public float* Output(SequenceLayout layout, int width) => _output.TakeFloats(layout.WantedRows * width);

        public void Dispose()
        {
            foreach (var activations in _activations) activations.Dispose();
            foreach (var buffer in _inputs) buffer.Dispose();
            _output.Dispose();
        }
    }
}
