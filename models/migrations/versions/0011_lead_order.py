"""indexes that hold all that the list of leads is put in order and counted by"""

from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

INDEXES = {'ix_lead_scope_rank': ['scope', 'rank'], 'ix_lead_scope_area_rank': ['scope', 'area', 'rank']}


def upgrade() -> None:
    _make_anew(more=['voices', 'lead_id'])


def downgrade() -> None:
    _make_anew(more=[])


def _make_anew(more: list[str]) -> None:
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name='lead')
        op.create_index(name, 'lead', [*columns, *more], unique=False)
