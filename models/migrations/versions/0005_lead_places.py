"""places of leads"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lead_place',
    sa.Column('lead_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('place', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('scope', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ward', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('lead_id', 'place', name=op.f('pk_lead_place'))
    )
    with op.batch_alter_table('lead_place', schema=None) as batch_op:
        batch_op.create_index('ix_lead_place_scope', ['scope'], unique=False)
        batch_op.create_index('ix_lead_place_ward', ['ward'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('lead_place', schema=None) as batch_op:
        batch_op.drop_index('ix_lead_place_ward')
        batch_op.drop_index('ix_lead_place_scope')

    op.drop_table('lead_place')
