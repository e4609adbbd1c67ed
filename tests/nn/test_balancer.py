"""The gradient balancer: shares of the gradient are the weights, whatever the losses' scales."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.balancer import GradientBalancer


def gradient(balancer, output, **losses):
    (result,) = torch.autograd.grad(balancer.balanced(losses, output), output)
    return result


def two_losses(output, scale=1.0):
    """Losses of the two halves of the samples, of very different size."""
    return {"loud": 1e4 * scale * output[:, :50].sum(), "quiet": 1e-3 * output[:, 50:].sum()}


def item_norm(x):
    return x.norm(dim=1).mean().item()


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.1, 10), st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_shares_of_the_gradient_are_the_weights(loud, quiet, total_norm, batch):
    output = torch.randn(batch, 100, requires_grad=True)
    balancer = GradientBalancer({"loud": loud, "quiet": quiet}, total_norm)
    result = gradient(balancer, output, **two_losses(output))
    shares = item_norm(result[:, :50]), item_norm(result[:, 50:])
    assert shares[0] == pytest.approx(total_norm * loud / (loud + quiet), rel=1e-4)
    assert shares[1] == pytest.approx(total_norm * quiet / (loud + quiet), rel=1e-4)


def test_directions_of_gradients_stay():
    output = torch.randn(2, 100, requires_grad=True)
    target = torch.randn(2, 100)
    result = gradient(GradientBalancer({"l2": 3.0}), output, l2=(output - target).square().mean())
    cosine = torch.cosine_similarity(result, output.detach() - target, dim=1)
    assert cosine.tolist() == pytest.approx([1, 1], abs=1e-5)


def test_norms_are_averaged_over_steps_with_the_start_corrected():
    output = torch.ones(1, 100, requires_grad=True)
    balancer = GradientBalancer({"loss": 1.0}, decay=0.5)
    norms = []
    for factor in (1.0, 3.0, 5.0):
        norms.append(item_norm(gradient(balancer, output, loss=factor * output.sum() / 10)))
    # Averages: 1; (0.5 + 3) / 1.5; (0.25 + 1.5 + 5) / 1.75.
    assert norms == pytest.approx([1, 3 / (3.5 / 1.5), 5 / (6.75 / 1.75)], rel=1e-5)


def test_late_losses_take_their_share_when_they_join():
    output = torch.randn(2, 100, requires_grad=True)
    balancer = GradientBalancer({"loud": 1.0, "quiet": 1.0})
    losses = two_losses(output)
    assert item_norm(gradient(balancer, output, quiet=losses["quiet"])) == pytest.approx(1)
    both = gradient(balancer, output, **losses)
    assert item_norm(both[:, 50:]) == pytest.approx(0.5, rel=1e-5)


def test_silent_gradients_do_no_harm():
    output = torch.zeros(2, 100, requires_grad=True)
    balancer = GradientBalancer({"loud": 1.0, "zero": 1.0})
    loud = two_losses(output)["loud"]
    result = gradient(balancer, output, loud=loud, zero=output.square().sum())
    assert item_norm(result) == pytest.approx(0.5)


def test_the_network_gets_the_gradient_of_the_output():
    network = torch.nn.Linear(10, 10)
    inputs = torch.randn(4, 10)
    output = network(inputs)
    balancer = GradientBalancer({"a": 2.0, "b": 1.0})
    losses = {"a": output.abs().sum(), "b": output.square().mean()}
    surrogate = balancer.balanced(losses, output)
    (at_output,) = torch.autograd.grad(surrogate, output, retain_graph=True)
    surrogate.backward()
    assert torch.allclose(network.weight.grad, at_output.T @ inputs, atol=1e-6)


def test_state_resumes():
    output = torch.randn(2, 100, requires_grad=True)
    weights = {"loud": 1.0, "quiet": 2.0}
    first, second = GradientBalancer(weights, decay=0.9), GradientBalancer(weights, decay=0.9)
    gradient(first, output, **two_losses(output))
    second.load_state_dict(first.state_dict())
    later = two_losses(output, scale=7.0)
    assert torch.equal(gradient(first, output, **later), gradient(second, output, **later))
    with pytest.raises(RuntimeError, match="norm_quiet"):
        GradientBalancer({"loud": 1.0, "other": 2.0}).load_state_dict(first.state_dict())


def test_norms_are_averaged_over_processes(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda norm: norm.add_(3.0))
    output = torch.ones(1, 100, requires_grad=True)
    result = gradient(GradientBalancer({"loss": 1.0}), output, loss=output.sum() / 10)
    # This process's gradient has norm 1, the other's 3.
    assert item_norm(result) == pytest.approx(1 / 2)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}])
def test_weights_are_positive(weights):
    with pytest.raises(ValueError, match="must be positive"):
        GradientBalancer(weights)


def test_losses_without_a_weight_are_refused():
    output = torch.ones(1, 10, requires_grad=True)
    with pytest.raises(ValueError, match="without a weight: other"):
        GradientBalancer({"loss": 1.0}).balanced({"other": output.sum()}, output)
